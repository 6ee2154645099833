//! A plan for people.

use std::time::Duration;

use crate::planned::{
    Form, Plan, PlannedBuild, PlannedComponent, PlannedPostProcessor, PlannedProvisioner,
};
use crate::value::option_text;

/// Where options start.
const INDENT: usize = 6;

/// A build as text of several lines.
#[derive(Debug)]
pub struct BuildText(String);

impl Form for BuildText {
    fn of(build: PlannedBuild) -> Self {
        let mut text = String::new();
        write_build(&mut text, &build);
        Self(text)
    }
}

impl Plan<BuildText> {
    /// The plan as text of several lines, without a final line break.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("Plan of {}: {}\n", self.template, count(self.builds.len()));
        if !self.data_sources.is_empty() {
            let state = if self.data_read {
                "read for this plan"
            } else {
                "read first; not read for this plan"
            };
            let names = self.data_sources.join(", ");
            line(&mut text, 0, &format!("Data sources, {state}: {names}"));
        }
        for build in &self.builds {
            text.push_str(&build.0);
        }
        text.pop();
        text
    }
}

fn count(builds: usize) -> String {
    match builds {
        0 => "nothing to build.".to_owned(),
        1 => "1 build. Nothing was run.".to_owned(),
        more => format!("{more} builds, side by side, starting in this order. Nothing was run."),
    }
}

fn write_build(text: &mut String, build: &PlannedBuild) {
    text.push('\n');
    line(text, 0, &format!("==> {}", build.name));
    write_component(text, &build.source.header, &build.source, &[]);
    for (index, provisioner) in build.provisioners.iter().enumerate() {
        let title = format!("{}. {}", index + 1, provisioner.component.header);
        write_component(text, &title, &provisioner.component, &rules(provisioner));
    }
    if let Some(cleanup) = &build.error_cleanup {
        let title = format!("after a failure: {}", cleanup.component.header);
        write_component(text, &title, &cleanup.component, &rules(cleanup));
    }
    for (number, chain) in build.post_processors.iter().enumerate() {
        for (step, processor) in chain.iter().enumerate() {
            let place = format!("{}.{}", number + 1, step + 1);
            let title = format!("chain {place} {}", processor.component.header);
            write_component(text, &title, &processor.component, &kept(processor));
        }
    }
}

/// What the template says about how a provisioner is run.
fn rules(provisioner: &PlannedProvisioner) -> Vec<String> {
    let seconds = |duration: Duration| format!("{duration:?}");
    let mut rules = Vec::new();
    rules.extend(
        provisioner
            .pause_before
            .map(|pause| format!("after a pause of {}", seconds(pause))),
    );
    rules.extend(
        provisioner
            .timeout
            .map(|limit| format!("at most {}", seconds(limit))),
    );
    if provisioner.max_retries > 0 {
        rules.push(format!("up to {} tries", provisioner.max_retries + 1));
    }
    if provisioner.continue_on_error {
        rules.push("a failure is only a warning".to_owned());
    }
    rules
}

fn kept(processor: &PlannedPostProcessor) -> Vec<String> {
    let words = match processor.keep_input_artifact {
        None => None,
        Some(true) => Some("keeps its input"),
        Some(false) => Some("removes its input"),
    };
    words.map(str::to_owned).into_iter().collect()
}

fn write_component(text: &mut String, title: &str, component: &PlannedComponent, rules: &[String]) {
    let mut notes: Vec<String> = rules.to_vec();
    notes.extend(
        component
            .place
            .as_ref()
            .map(|(file, line)| format!("{file}:{line}")),
    );
    line(text, 2, &format!("{title}  ({})", notes.join("; ")));
    let Some(options) = component.options.as_mapping() else {
        return;
    };
    let width = options.keys().map(|name| name.chars().count()).max();
    let width = width.unwrap_or_default();
    for name in options.keys() {
        let value = option_text(component, name, INDENT);
        line(text, INDENT, &format!("{name:width$} = {value}"));
    }
}

fn line(text: &mut String, indent: usize, content: &str) {
    text.extend(std::iter::repeat_n(' ', indent));
    text.push_str(content);
    text.push('\n');
}
