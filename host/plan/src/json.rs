//! A plan for programs. `plan.schema.json` beside this crate's manifest describes it.

use std::collections::BTreeMap;
use std::time::Duration;

use host_eval::{Value, ValueKind};
use host_template::PathStep;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::planned::{
    Form, Plan, PlannedBuild, PlannedComponent, PlannedPostProcessor, PlannedProvisioner,
};

/// Grows with every incompatible change of the document.
const FORMAT_VERSION: u32 = 1;

/// Bytes of a document around its builds and diagnostics, more or less.
const AROUND_BYTES: usize = 4096;

/// A build as JSON.
#[derive(Debug)]
pub struct BuildJson(Box<RawValue>);

impl Form for BuildJson {
    fn of(build: PlannedBuild) -> Self {
        let text = serde_json::value::to_raw_value(&BuildElement::new(&build));
        Self(text.expect("text and numbers can always be written as JSON"))
    }
}

impl Plan<BuildJson> {
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
            builds: self.builds.iter().map(|build| &*build.0).collect(),
            diagnostics: diagnostics.expect("diagnostics are rendered as JSON"),
        };
        let builds: usize = self
            .builds
            .iter()
            .map(|build| build.0.get().len() + 1)
            .sum();
        let mut text = Vec::with_capacity(builds + document.diagnostics.get().len() + AROUND_BYTES);
        serde_json::to_writer(&mut text, &document)
            .expect("text and numbers can always be written as JSON");
        String::from_utf8(text).expect("JSON is text")
    }
}

#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    template: &'a str,
    data_sources: &'a [String],
    data_read: bool,
    builds: Vec<&'a RawValue>,
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
    options: Options<'a>,
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
        walk.value(&component.options);
        let place = component.place.as_ref();
        Self {
            type_name: &component.type_name,
            header: &component.header,
            file: place.map(|(file, _)| file.as_str()),
            line: place.map(|(_, line)| *line),
            options: Options(&component.options),
            sensitive: walk.sensitive,
            unknown: walk.unknown,
        }
    }
}

/// Finds the options that are secret and those that are not known.
struct Walk<'a> {
    component: &'a PlannedComponent,
    path: Vec<Step<'a>>,
    sensitive: Vec<String>,
    unknown: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Walk<'a> {
    fn value(&mut self, value: &'a Value) {
        if value.sensitive {
            self.sensitive.push(path_text(&self.path));
            return;
        }
        match &value.kind {
            ValueKind::Unknown => {
                let names = self.waits_for();
                self.unknown.insert(path_text(&self.path), names);
            }
            ValueKind::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.below(Step::Index(index), item);
                }
            }
            ValueKind::Mapping(entries) => {
                for (key, entry) in entries {
                    self.below(Step::Name(key), entry);
                }
            }
            _ => {}
        }
    }

    fn below(&mut self, step: Step<'a>, value: &'a Value) {
        self.path.push(step);
        self.value(value);
        self.path.pop();
    }

    /// What the value at the current path, or the nearest one around it, waits for.
    fn waits_for(&self) -> Vec<String> {
        let steps = self.path.iter().map(|step| match step {
            Step::Name(name) => PathStep::Attribute((*name).to_owned()),
            Step::Index(index) => PathStep::Index(*index),
        });
        let path: Vec<PathStep> = steps.collect();
        let lengths = (1..=path.len()).rev();
        let mut known = lengths.filter_map(|n| self.component.waits_for.get(&path[..n]));
        known.next().cloned().unwrap_or_default()
    }
}

/// Options as JSON: secrets are hidden, what is not known is null.
struct Options<'a>(&'a Value);

impl Serialize for Options<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value) = self;
        if value.sensitive {
            return serializer.serialize_str("<sensitive>");
        }
        match &value.kind {
            ValueKind::Unknown | ValueKind::Null => serializer.serialize_unit(),
            ValueKind::Bool(bool) => serializer.serialize_bool(*bool),
            ValueKind::Number(number) => {
                if let Some(whole) = value.as_i64() {
                    return serializer.serialize_i64(whole);
                }
                let text = number.to_plain_string();
                match text.parse::<f64>() {
                    Ok(float) if float.is_finite() => serializer.serialize_f64(float),
                    // What is too large for a number of JSON's readers is text.
                    _ => serializer.serialize_str(&text),
                }
            }
            ValueKind::String(text) => serializer.serialize_str(text),
            ValueKind::Sequence(items) => serializer.collect_seq(items.iter().map(Options)),
            ValueKind::Mapping(entries) => {
                serializer.collect_map(entries.iter().map(|(key, entry)| (key, Options(entry))))
            }
        }
    }
}

/// A path as people write it: `disk[0].size`.
fn path_text(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Name(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}
