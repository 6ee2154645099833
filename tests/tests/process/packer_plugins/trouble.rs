//! Plugins that refuse, fail, die or flood.

use std::time::Duration;

use anyhow::Result;
use kiln_tests::{Finished, Kiln, leftovers};

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
fn nothing_outlives_a_kiln_that_is_killed() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    for (name, _) in PLUGINS {
        let template = format!(
            "source \"{name}-folder\" \"b\" {{ trouble = \"wait\" }}\nbuild {{ sources = \
             [\"source.{name}-folder.b\"] }}\n"
        );
        kiln.write("t.pkr.hcl", &template);
        let mut running = kiln.start(&["build", "-color=false", "t.pkr.hcl"])?;
        running.wait_for("waiting", Duration::from_secs(120))?;
        running.signal("KILL")?;
        assert!(!running.finish(Duration::from_secs(60))?.status.success());
        drop(kiln.run(&["gc"])?.success());
        let left = leftovers::of(&kiln, Duration::from_secs(30));
        assert!(left.is_empty(), "{name}: {left:#?}");
    }
    Ok(())
}
