//! Whole builds with the null builder and the provisioners for Windows.

use anyhow::Result;
use kiln_tests::winrm::{PASSWORD, StandIn, USER};
use kiln_tests::{Finished, Kiln};

/// Builds with `provisioners` on the machine behind `guest`.
fn build(kiln: &Kiln, guest: &StandIn, provisioners: &str) -> Result<Finished> {
    let port = guest.port;
    let template = format!(
        "variable \"password\" {{ sensitive = true }}\n\
         source \"null\" \"w\" {{\n  communicator = \"winrm\"\n  winrm_host = \"127.0.0.1\"\n  \
         winrm_port = {port}\n  winrm_username = \"{USER}\"\n  winrm_password = var.password\n  \
         winrm_timeout = \"60s\"\n  winrm_use_ntlm = true\n}}\n\
         build {{\n  sources = [\"null.w\"]\n{provisioners}\n}}\n"
    );
    kiln.write("t.pkr.hcl", &template);
    let password = format!("password={PASSWORD}");
    let finished = kiln.run(&["build", "-color=false", "-var", &password, "t.pkr.hcl"])?;
    let log = guest.log();
    assert!(
        !log.contains("Error") && !finished.stdout.contains("STAND-IN"),
        "{log}{finished}"
    );
    assert!(!finished.stdout.contains(PASSWORD), "{finished}");
    Ok(finished)
}

#[test]
fn powershell_runs_scripts_with_variables_and_cleans_up() -> Result<()> {
    let Some(guest) = StandIn::start(&[])? else {
        return Ok(());
    };
    let kiln = Kiln::new();
    kiln.write(
        "a.ps1",
        "Write-Output \"a: $env:GREETING ($env:PACKER_BUILDER_TYPE)\"\n",
    );
    kiln.write("b.ps1", "Write-Output 'b'\nexit 3\n");
    let provisioners = r#"
      provisioner "powershell" {
        environment_vars = ["GREETING=it's $5 \"now\""]
        inline = [
          "$name = 'Windows'",
          "Write-Output \"inline: $name, $env:GREETING\"",
        ]
      }
      provisioner "powershell" {
        env     = { GREETING = "hello" }
        scripts = ["a.ps1", "b.ps1"]
        binary  = true
        valid_exit_codes = [0, 3]
        debug_mode = 1
      }
    "#;
    drop(
        build(&kiln, &guest, provisioners)?
            .success()
            .says("==> null.w: Using WinRM communicator to connect: 127.0.0.1")
            .says("==> null.w: Waiting for WinRM to become available...")
            .says("==> null.w: WinRM connected.")
            .says("==> null.w: Connected to WinRM!")
            .says("==> null.w: Provisioning with Powershell...")
            .says("==> null.w: Provisioning with powershell script: a.ps1")
            .says("null.w: inline: Windows, it's $5 \"now\"")
            .says("null.w: a: hello (null)")
            .says("null.w: b"),
    );
    let left = std::fs::read_dir(guest.path("C/Windows/Temp"))?.count();
    assert_eq!(left, 0, "scripts stay in the machine");
    assert_eq!(guest.count("set-psdebug")?, 2);
    Ok(())
}

#[test]
fn powershell_fails_with_its_exit_code_or_its_error() -> Result<()> {
    let Some(guest) = StandIn::start(&[])? else {
        return Ok(());
    };
    let kiln = Kiln::new();
    let inline = |line: &str| format!("provisioner \"powershell\" {{\n inline = [\"{line}\"]\n}}");
    let text = "Script exited with non-zero exit status: 7. Allowed exit codes are: [0]";
    drop(
        build(&kiln, &guest, &inline("exit 7"))?
            .failure()
            .says(text),
    );
    drop(
        build(
            &kiln,
            &guest,
            &inline("throw 'broken'; Write-Output 'unreached'"),
        )?
        .failure()
        .says("An error occurred: broken")
        .says("non-zero exit status: 1.")
        .lacks("unreached"),
    );
    drop(
        build(&kiln, &guest, &inline("cmd /c exit 9"))?
            .failure()
            .says("non-zero exit status: 9."),
    );
    Ok(())
}

#[test]
fn powershell_runs_as_another_user_in_a_task() -> Result<()> {
    let Some(guest) = StandIn::start(&[])? else {
        return Ok(());
    };
    let kiln = Kiln::new();
    let elevated = |user: &str, password: &str, line: &str| {
        format!(
            "provisioner \"powershell\" {{\n elevated_user = \"{user}\"\n elevated_password = \
             {password}\n environment_vars = [\"A=elevated\"]\n inline = [\"{line}\"]\n}}"
        )
    };
    let line = "Write-Output \\\"$env:A as $env:USERNAME\\\"";
    drop(
        build(&kiln, &guest, &elevated(USER, "build.Password", line))?
            .success()
            .says("null.w: elevated as packer"),
    );
    drop(
        build(
            &kiln,
            &guest,
            &elevated("SYSTEM", "\"\"", &format!("{line}; exit 4")),
        )?
        .failure()
        .says("null.w: elevated as SYSTEM")
        .says("non-zero exit status: 4."),
    );
    drop(
        build(&kiln, &guest, &elevated(USER, "\"wrong\"", line))?
            .failure()
            .says("The user name or password is incorrect."),
    );
    let journal = guest.journal()?;
    let tasks: Vec<_> = journal.iter().filter(|(kind, _)| kind == "task").collect();
    assert_eq!(tasks.len(), 2);
    assert_eq!(tasks[0].1["level"], 1);
    assert_eq!(tasks[0].1["logon"], 1);
    assert_eq!(tasks[1].1["logon"], 5);
    assert_eq!(guest.count("task-deleted")?, 2);
    let commands = journal.iter().filter(|(kind, _)| kind == "command");
    assert!(
        !commands
            .into_iter()
            .any(|(_, line)| line.to_string().contains("wörd"))
    );
    Ok(())
}

#[test]
fn windows_shell_runs_batch_files_and_files_are_copied() -> Result<()> {
    let Some(guest) = StandIn::start(&[])? else {
        return Ok(());
    };
    let kiln = Kiln::new();
    kiln.write("s.bat", "@echo off\necho script %GREETING%\nexit /b 5\n");
    kiln.write("data/one.txt", "1");
    kiln.write("data/sub/two.txt", "2");
    let provisioners = r#"
      provisioner "file" {
        source      = "data"
        destination = "C:/in"
      }
      provisioner "windows-shell" {
        env    = { GREETING = "hello" }
        inline = ["echo inline %GREETING% %PACKER_BUILD_NAME%", "type nothing || echo no type"]
      }
      provisioner "windows-shell" {
        environment_vars = ["GREETING=world"]
        script           = "s.bat"
        remote_path      = "c:/Windows/Temp/mine.bat"
        valid_exit_codes = [5]
      }
      provisioner "file" {
        direction   = "download"
        source      = "C:/in/data/sub/two.txt"
        destination = "back.txt"
      }
    "#;
    drop(
        build(&kiln, &guest, provisioners)?
            .success()
            .says("==> null.w: Provisioning with windows-shell...")
            .says("null.w: inline hello w")
            .says("null.w: no type")
            .says("null.w: script world"),
    );
    assert_eq!(std::fs::read_to_string(kiln.work().join("back.txt"))?, "2");
    assert_eq!(
        std::fs::read_to_string(guest.path("C/in/data/one.txt"))?,
        "1"
    );
    let script = std::fs::read_to_string(guest.path("C/Windows/Temp/mine.bat"))?;
    assert_eq!(script, "@echo off\necho script %GREETING%\nexit /b 5\n");
    let failing = "provisioner \"windows-shell\" {\n inline = [\"exit /b 6\"]\n}";
    drop(
        build(&kiln, &guest, failing)?
            .failure()
            .says("non-zero exit status: 6."),
    );
    Ok(())
}

#[test]
fn windows_restart_comes_back_after_the_machine_was_gone() -> Result<()> {
    let Some(guest) = StandIn::start(&["--restart-seconds", "4"])? else {
        return Ok(());
    };
    let kiln = Kiln::new();
    let provisioners = r#"
      provisioner "windows-restart" {
        check_registry = true
      }
      provisioner "windows-shell" {
        inline = ["echo after"]
      }
    "#;
    drop(
        build(&kiln, &guest, provisioners)?
            .success()
            .says("==> null.w: Restarting Machine")
            .says("==> null.w: Waiting for machine to restart...")
            .says("null.w: WIN-STANDIN restarted.")
            .says("==> null.w: Machine successfully restarted, moving on")
            .says("null.w: after"),
    );
    assert_eq!(guest.count("restart")?, 1);
    // A key that stays says that Windows is not done.
    let waiting = r#"
      provisioner "windows-shell" {
        inline = ["key \"HKLM:SOFTWARE\\Stays\""]
      }
      provisioner "windows-restart" {
        check_registry  = true
        registry_keys   = ["HKLM:SOFTWARE\\Stays"]
        restart_timeout = "15s"
      }
    "#;
    drop(
        build(&kiln, &guest, waiting)?
            .failure()
            .says("Timeout waiting for machine to restart.")
            .says("HKLM:SOFTWARE\\Stays' still exists"),
    );
    Ok(())
}

#[test]
fn a_machine_that_does_not_restart_is_an_error() -> Result<()> {
    let Some(guest) = StandIn::start(&[])? else {
        return Ok(());
    };
    let kiln = Kiln::new();
    let provisioner = "provisioner \"windows-restart\" {\n restart_command = \"echo no\"\n \
                       restart_check_command = \"echo nothing\"\n restart_timeout = \"5s\"\n}";
    drop(
        build(&kiln, &guest, provisioner)?
            .failure()
            .says("Timeout waiting for machine to restart.")
            .says("`restart_check_command` printed `nothing` without `restarted.`"),
    );
    assert_eq!(guest.count("restart")?, 0);
    Ok(())
}

#[test]
fn wrong_options_are_told_with_their_place() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.pkr.hcl",
        "source \"null\" \"w\" {\n  communicator = \"winrm\"\n  winrm_username = \"u\"\n}\n\
         build {\n  sources = [\"null.w\"]\n  provisioner \"powershell\" {\n    \
         execution_policy = \"never\"\n    inline = [\"x\"]\n  }\n}\n",
    );
    drop(
        kiln.run(&["validate", "t.pkr.hcl"])?
            .failure()
            .says("a Host must be specified")
            .says("set `winrm_password`")
            .says("`never` is no execution policy.")
            .says("t.pkr.hcl line 8"),
    );
    Ok(())
}
