//! A plan for programs. `plan.schema.json` beside this crate's manifest describes it.

use std::collections::BTreeMap;
use std::time::Duration;

use host_eval::{Value, ValueKind};
use host_template::PathStep;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::planned::{
    Plan, PlannedBuild, PlannedComponent, PlannedPostProcessor, PlannedProvisioner,
};

/// Grows with every incompatible change of the document.
const FORMAT_VERSION: u32 = 1;

impl Plan {
    /// The plan as one JSON document on one line. `diagnostics` is what `host_diag::render_json`
    /// made of the warnings.
    ///
    /// # Panics
    ///
    /// When `diagnostics` is no JSON.
    #[must_use]
    pub fn to_json(&self, diagnostics: &str) -> String {
        let diagnostics = RawValue::from_string(diagnostics.to_owned());
        let document = Document {
            format_version: FORMAT_VERSION,
            template: &self.template,
            data_sources: &self.data_sources,
            data_read: self.data_read,
            builds: self.builds.iter().map(BuildElement::new).collect(),
            diagnostics: diagnostics.expect("diagnostics are rendered as JSON"),
        };
        serde_json::to_string(&document).expect("text and numbers can always be written as JSON")
    }
}

#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    template: &'a str,
    data_sources: &'a [String],
    data_read: bool,
    builds: Vec<BuildElement<'a>>,
    diagnostics: Box<RawValue>,
}

#[derive(Serialize)]
struct BuildElement<'a> {
    name: &'a str,
    source: ComponentElement<'a>,
    provisioners: Vec<ProvisionerElement<'a>>,
    error_cleanup_provisioner: Option<ProvisionerElement<'a>>,
    post_processors: Vec<Vec<PostProcessorElement<'a>>>,
}

#[derive(Serialize)]
struct ComponentElement<'a> {
    #[serde(rename = "type")]
    type_name: &'a str,
    header: &'a str,
    file: Option<&'a str>,
    line: Option<usize>,
    options: serde_json::Value,
    sensitive: Vec<String>,
    unknown: BTreeMap<String, Vec<String>>,
}

#[derive(Serialize)]
struct ProvisionerElement<'a> {
    #[serde(flatten)]
    component: ComponentElement<'a>,
    pause_before_seconds: Option<f64>,
    timeout_seconds: Option<f64>,
    max_retries: u32,
    continue_on_error: bool,
}

#[derive(Serialize)]
struct PostProcessorElement<'a> {
    #[serde(flatten)]
    component: ComponentElement<'a>,
    name: &'a str,
    keep_input_artifact: Option<bool>,
}

impl<'a> BuildElement<'a> {
    fn new(build: &'a PlannedBuild) -> Self {
        Self {
            name: &build.name,
            source: ComponentElement::new(&build.source),
            provisioners: build
                .provisioners
                .iter()
                .map(ProvisionerElement::new)
                .collect(),
            error_cleanup_provisioner: build.error_cleanup.as_ref().map(ProvisionerElement::new),
            post_processors: build
                .post_processors
                .iter()
                .map(|chain| chain.iter().map(PostProcessorElement::new).collect())
                .collect(),
        }
    }
}

impl<'a> ProvisionerElement<'a> {
    fn new(plan: &'a PlannedProvisioner) -> Self {
        let seconds = |duration: Duration| duration.as_secs_f64();
        Self {
            component: ComponentElement::new(&plan.component),
            pause_before_seconds: plan.pause_before.map(seconds),
            timeout_seconds: plan.timeout.map(seconds),
            max_retries: plan.max_retries,
            continue_on_error: plan.continue_on_error,
        }
    }
}

impl<'a> PostProcessorElement<'a> {
    fn new(plan: &'a PlannedPostProcessor) -> Self {
        Self {
            component: ComponentElement::new(&plan.component),
            name: &plan.name,
            keep_input_artifact: plan.keep_input_artifact,
        }
    }
}

impl<'a> ComponentElement<'a> {
    fn new(component: &'a PlannedComponent) -> Self {
        let mut walk = Walk {
            component,
            path: Vec::new(),
            sensitive: Vec::new(),
            unknown: BTreeMap::new(),
        };
        let options = walk.value(&component.options);
        let place = component.place.as_ref();
        Self {
            type_name: &component.type_name,
            header: &component.header,
            file: place.map(|(file, _)| file.as_str()),
            line: place.map(|(_, line)| *line),
            options,
            sensitive: walk.sensitive,
            unknown: walk.unknown,
        }
    }
}

/// Turns options into JSON, noting which are secret and which are not known.
struct Walk<'a> {
    component: &'a PlannedComponent,
    path: Vec<PathStep>,
    sensitive: Vec<String>,
    unknown: BTreeMap<String, Vec<String>>,
}

impl Walk<'_> {
    fn value(&mut self, value: &Value) -> serde_json::Value {
        if value.sensitive {
            self.sensitive.push(path_text(&self.path));
            return "<sensitive>".into();
        }
        match &value.kind {
            ValueKind::Unknown => {
                let names = self.waits_for();
                self.unknown.insert(path_text(&self.path), names);
                serde_json::Value::Null
            }
            ValueKind::Null => serde_json::Value::Null,
            ValueKind::Bool(bool) => (*bool).into(),
            ValueKind::Number(number) => match value.as_i64() {
                Some(whole) => whole.into(),
                // What is too large for a number of JSON's readers is text.
                None => {
                    let text = number.to_plain_string();
                    let float = text.parse::<f64>().ok().filter(|float| float.is_finite());
                    float.map_or_else(|| text.into(), serde_json::Value::from)
                }
            },
            ValueKind::String(text) => text.as_str().into(),
            ValueKind::Sequence(items) => {
                let steps = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| (PathStep::Index(index), item));
                steps.map(|(step, item)| self.below(step, item)).collect()
            }
            ValueKind::Mapping(entries) => {
                let members = entries.iter().map(|(key, entry)| {
                    let step = PathStep::Attribute(key.clone());
                    (key.clone(), self.below(step, entry))
                });
                serde_json::Value::Object(members.collect())
            }
        }
    }

    fn below(&mut self, step: PathStep, value: &Value) -> serde_json::Value {
        self.path.push(step);
        let written = self.value(value);
        self.path.pop();
        written
    }

    /// What the value at the current path, or the nearest one around it, waits for.
    fn waits_for(&self) -> Vec<String> {
        let lengths = (1..=self.path.len()).rev();
        let mut known = lengths.filter_map(|n| self.component.waits_for.get(&self.path[..n]));
        known.next().cloned().unwrap_or_default()
    }
}

/// A path as people write it: `disk[0].size`.
fn path_text(path: &[PathStep]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            PathStep::Attribute(name) | PathStep::Key(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            PathStep::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}
