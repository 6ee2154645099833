//! Plugins that refuse, fail, die or flood.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use kiln_tests::{Finished, Kiln, Running, leftovers, tools};

use super::{PLUGINS, world};

/// Builds with a builder and a provisioner of the plugin `name`.
fn build(kiln: &Kiln, name: &str, builder: &str, provisioner: &str) -> Result<Finished> {
    let template = format!(
        "source \"{name}-folder\" \"b\" {{\n  {builder}\n}}\nbuild {{\n  sources = \
         [\"source.{name}-folder.b\"]\n  {provisioner}\n}}\n"
    );
    kiln.write("t.pkr.hcl", &template);
    kiln.run(&["build", "-color=false", "t.pkr.hcl"])
}

#[test]
fn problems_are_told_with_their_place_and_reason() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    for (name, _) in PLUGINS {
        let refused = build(&kiln, name, "trouble = \"refuse\"\n  count_of = 0", "")?;
        drop(
            refused
                .failure()
                .says("count_of must be positive")
                .says("t.pkr.hcl line 3"),
        );
        let unknown = build(&kiln, name, "naem = \"x\"", "")?;
        drop(unknown.failure().says("naem").says("name"));
        let wrong = build(&kiln, name, "count_of = \"many\"", "")?;
        drop(wrong.failure().says("count_of"));
        let failed = build(&kiln, name, "trouble = \"fail\"", "")?;
        drop(failed.failure().says("the builder failed as told"));
        let check = format!("provisioner \"{name}-check\" {{ trouble = \"fail\" }}");
        let failed = build(&kiln, name, "", &check)?;
        drop(
            failed
                .failure()
                .says("the provisioner failed as told")
                .says("cleaned up"),
        );
        let warned = build(&kiln, name, "trouble = \"warn\"", "")?;
        drop(warned.success().says("this is only a warning"));
    }
    Ok(())
}

#[test]
fn a_plugin_that_dies_is_told_with_its_last_words() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    for (name, _) in PLUGINS {
        for trouble in ["die", "die-prepare"] {
            let died = build(&kiln, name, &format!("trouble = \"{trouble}\""), "")?;
            let died = died.failure().says("the last words of a builder");
            // Diagnostics are wrapped anywhere between words.
            let words: Vec<&str> = died.stdout.split_whitespace().collect();
            assert!(words.join(" ").contains("exit status: 3"), "{died}");
            drop(died.says(&super::file_name(name)));
        }
        let check = format!("provisioner \"{name}-check\" {{ trouble = \"die\" }}");
        let died = build(&kiln, name, "", &check)?.failure();
        drop(
            died.says("the last words of a provisioner")
                .says("cleaned up"),
        );
    }
    let left = leftovers::of(&kiln, Duration::from_secs(20));
    assert!(left.is_empty(), "{left:#?}");
    Ok(())
}

#[test]
fn a_plugin_that_floods_its_log_and_output_is_no_trouble() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    for (name, _) in PLUGINS {
        drop(build(&kiln, name, "trouble = \"flood\"", "")?.success());
    }
    Ok(())
}

#[test]
fn a_question_without_anybody_is_an_error_for_the_plugin() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    for (name, _) in PLUGINS {
        let asked = build(&kiln, name, "trouble = \"ask\"", "")?;
        drop(asked.success().says("answer"));
    }
    Ok(())
}

#[test]
fn a_plugin_that_dies_at_once_is_told_with_its_last_words() -> Result<()> {
    let Some(mut kiln) = world()? else {
        return Ok(());
    };
    kiln.env("DIE_EARLY", "1");
    let died = build(&kiln, "gosix", "", "")?.failure();
    let died = died.says("the last words of a plugin");
    let words: Vec<&str> = died.stdout.split_whitespace().collect();
    assert!(words.join(" ").contains("exit status: 3"), "{died}");
    let left = leftovers::of(&kiln, Duration::from_secs(20));
    assert!(left.is_empty(), "{left:#?}");
    Ok(())
}

#[test]
fn a_link_that_leads_out_of_an_uploaded_folder_gives_what_it_points_to() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    kiln.write("outside", "content");
    kiln.write("up/sub/a", "content of a");
    std::os::unix::fs::symlink("../../outside", kiln.work().join("up/sub/link"))?;
    for (name, _) in PLUGINS {
        kiln.write(&format!("on-{name}/.keep"), "");
        let upload = format!(
            "provisioner \"file\" {{\n    source = \"up\"\n    destination = \
             \"${{path.cwd}}/on-{name}\"\n  }}"
        );
        drop(build(&kiln, name, "", &upload)?.success());
        let arrived = kiln.work().join(format!("on-{name}/up/sub/link"));
        assert!(arrived.symlink_metadata()?.is_file(), "{name}");
        assert_eq!(std::fs::read_to_string(arrived)?, "content");
    }
    Ok(())
}

#[test]
fn the_provisioner_for_failed_builds_runs_on_machines_of_plugins_in_go() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    for (name, _) in PLUGINS {
        let provisioners = "provisioner \"shell\" { inline = [\"exit 3\"] }\n  \
                            error-cleanup-provisioner \"shell\" { inline = [\"echo fetched\"] }";
        let failed = build(&kiln, name, "trouble = \"cleanup\"", provisioners)?.failure();
        drop(failed.says("b: fetched").says("b: cleaned up"));
    }
    Ok(())
}

#[test]
fn a_builder_may_give_its_provisioners_up() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    for (name, _) in PLUGINS {
        let template = format!(
            "source \"{name}-folder\" \"b\" {{ trouble = \"give-up\" }}\nbuild {{\n  sources = \
             [\"source.{name}-folder.b\"]\n  provisioner \"shell\" {{ inline = [\"exec sleep \
             600\"] }}\n}}\n"
        );
        kiln.write("t.pkr.hcl", &template);
        let running = kiln.start(&["build", "-color=false", "t.pkr.hcl"])?;
        let failed = running.finish(Duration::from_secs(60))?.failure();
        drop(
            failed
                .says("provisioning ended: context canceled")
                .says("cleaned up"),
        );
    }
    let left = leftovers::of(&kiln, Duration::from_secs(20));
    assert!(left.is_empty(), "{left:#?}");
    Ok(())
}

#[test]
fn an_interrupt_is_seen_while_the_options_of_a_run_are_looked_at() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    let folder = kiln.work();
    for (name, _) in PLUGINS {
        for file in ["checked", "waiting"] {
            drop(std::fs::remove_file(folder.join(file)));
        }
        let template = format!(
            "source \"{name}-folder\" \"b\" {{}}\nbuild {{\n  sources = \
             [\"source.{name}-folder.b\"]\n  provisioner \"{name}-check\" {{\n    trouble = \
             \"wait-prepare\"\n    folder  = \"${{path.cwd}}\"\n  }}\n}}\n"
        );
        kiln.write("t.pkr.hcl", &template);
        let running = kiln.start(&["build", "-color=false", "t.pkr.hcl"])?;
        wait_for_file(&folder.join("waiting"))?;
        running.signal("INT")?;
        let done = running.finish(Duration::from_secs(60))?.failure();
        drop(done.says("cleaned up").lacks("data machine-1"));
    }
    let left = leftovers::of(&kiln, Duration::from_secs(20));
    assert!(left.is_empty(), "{left:#?}");
    Ok(())
}

fn wait_for_file(path: &Path) -> Result<()> {
    let begun = Instant::now();
    while !path.exists() {
        ensure!(
            begun.elapsed() < Duration::from_secs(120),
            "{} does not come",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

#[test]
fn nothing_outlives_a_kiln_that_is_killed() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    for (name, _) in PLUGINS {
        let running = waiting(&kiln, name, "wait")?;
        running.signal("KILL")?;
        collected(&kiln, name, running)?;
    }
    Ok(())
}

#[test]
fn nothing_outlives_a_kiln_that_is_killed_with_its_bridge() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    for (name, _) in PLUGINS {
        let running = waiting(&kiln, name, "child")?;
        let bridges = bridges(&kiln);
        assert!(!bridges.is_empty(), "{name}: the bridge runs");
        // Stopped, a bridge cannot end its plugin when it sees that kiln is gone.
        signal("STOP", &bridges)?;
        running.signal("KILL")?;
        signal("KILL", &bridges)?;
        collected(&kiln, name, running)?;
    }
    Ok(())
}

/// A build that waits in a builder of the plugin `name`.
fn waiting(kiln: &Kiln, name: &str, trouble: &str) -> Result<Running> {
    let template = format!(
        "source \"{name}-folder\" \"b\" {{ trouble = \"{trouble}\" }}\nbuild {{ sources = \
         [\"source.{name}-folder.b\"] }}\n"
    );
    kiln.write("t.pkr.hcl", &template);
    let mut running = kiln.start(&["build", "-color=false", "t.pkr.hcl"])?;
    running.wait_for("waiting", Duration::from_secs(120))?;
    Ok(running)
}

/// Removes what a killed kiln left; nothing may be left then.
fn collected(kiln: &Kiln, name: &str, running: Running) -> Result<()> {
    assert!(!running.finish(Duration::from_secs(60))?.status.success());
    drop(kiln.run(&["gc"])?.success());
    let left = leftovers::of(kiln, Duration::from_secs(30));
    assert!(left.is_empty(), "{name}: {left:#?}");
    Ok(())
}

/// The numbers of the processes that run the bridge.
fn bridges(kiln: &Kiln) -> Vec<String> {
    let processes = leftovers::processes(kiln.root());
    let lines = processes.iter().filter_map(|line| line.split_once(' '));
    let bridges = lines.filter(|(_, line)| {
        let program = line.split_whitespace().next().unwrap_or_default();
        program.ends_with("/kiln-plugin-packer")
    });
    bridges.map(|(number, _)| number.to_owned()).collect()
}

fn signal(name: &str, numbers: &[String]) -> Result<()> {
    let name = format!("-{name}");
    let mut arguments = vec![name.as_str()];
    arguments.extend(numbers.iter().map(String::as_str));
    tools::output("kill", &arguments).map(drop)
}

#[test]
fn a_plugin_keeps_its_files_beside_its_configuration_but_not_beside_other_plugins() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    for (name, _) in PLUGINS {
        let built = build(&kiln, name, "trouble = \"config\"", "")?.success();
        drop(built.says("keeps files in").lacks(".config/packer"));
    }
    Ok(())
}
