//! What tests of this crate need: plugins that are not there, and templates in text.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use host_diag::{Diagnostic, Diagnostics, Severity, SourceMap};
use host_eval::{Value, ValueKind};

use crate::{
    AttributeSchema, BlockSchema, Build, ComponentKind, Components, Configured, Generated,
    LoadOptions, Primitive, Schema, Template, Type, load,
};

/// A few components with schemas that show every kind of option.
#[derive(Debug)]
pub(crate) struct FakeComponents {
    schemas: BTreeMap<(ComponentKind, String), Schema>,
}

pub(crate) fn option(name: &str, ty: Type) -> AttributeSchema {
    AttributeSchema {
        name: name.to_owned(),
        ty,
        required: false,
        sensitive: false,
        late: false,
        doc: String::new(),
        default_text: String::new(),
        deprecated: String::new(),
        choices: Vec::new(),
    }
}

pub(crate) fn primitive(primitive: Primitive) -> Type {
    Type::Primitive(primitive)
}

fn list(item: Primitive) -> Type {
    Type::List(Box::new(primitive(item)))
}

fn machine_schema() -> Schema {
    let disk = Schema {
        attributes: vec![
            AttributeSchema {
                required: true,
                ..option("size", primitive(Primitive::Number))
            },
            option("format", primitive(Primitive::String)),
        ],
        ..Schema::default()
    };
    let block = |name: &str, repeated| BlockSchema {
        name: name.to_owned(),
        schema: disk.clone(),
        repeated,
        required: false,
        doc: String::new(),
    };
    Schema {
        attributes: vec![
            option("url", primitive(Primitive::String)),
            option("memory", primitive(Primitive::Number)),
            option("headless", primitive(Primitive::Bool)),
            option("tags", Type::Map(Box::new(primitive(Primitive::String)))),
            option("commands", list(Primitive::String)),
            option("wait", primitive(Primitive::Duration)),
            AttributeSchema {
                sensitive: true,
                ..option("password", primitive(Primitive::String))
            },
            AttributeSchema {
                late: true,
                ..option("boot", list(Primitive::String))
            },
            AttributeSchema {
                deprecated: "use `memory`".to_owned(),
                ..option("ram", primitive(Primitive::Number))
            },
        ],
        blocks: vec![block("disk", true), block("boot_disk", false)],
        ..Schema::default()
    }
}

fn script_schema() -> Schema {
    Schema {
        attributes: vec![
            AttributeSchema {
                required: true,
                ..option("script", primitive(Primitive::String))
            },
            option("env", list(Primitive::String)),
            AttributeSchema {
                late: true,
                ..option("execute", primitive(Primitive::String))
            },
        ],
        ..Schema::default()
    }
}

impl FakeComponents {
    pub(crate) fn new() -> Self {
        let schemas = [
            (ComponentKind::Builder, "machine", machine_schema()),
            (ComponentKind::Builder, "null", Schema::default()),
            (
                ComponentKind::Builder,
                "fleet",
                Schema {
                    attributes: vec![
                        option("count", primitive(Primitive::Number)),
                        option(
                            "for_each",
                            Type::Map(Box::new(primitive(Primitive::String))),
                        ),
                    ],
                    ..Schema::default()
                },
            ),
            (
                ComponentKind::Builder,
                "open",
                Schema {
                    open: true,
                    ..Schema::default()
                },
            ),
            (ComponentKind::Provisioner, "script", script_schema()),
            (
                ComponentKind::PostProcessor,
                "pack",
                Schema {
                    attributes: vec![option("output", primitive(Primitive::String))],
                    ..Schema::default()
                },
            ),
            (ComponentKind::PostProcessor, "list", Schema::default()),
            (
                ComponentKind::DataSource,
                "echo",
                Schema {
                    attributes: vec![AttributeSchema {
                        required: true,
                        ..option("text", primitive(Primitive::String))
                    }],
                    outputs: vec![option("result", primitive(Primitive::String))],
                    ..Schema::default()
                },
            ),
        ];
        let schemas = schemas
            .into_iter()
            .map(|(kind, name, schema)| ((kind, name.to_owned()), schema));
        Self {
            schemas: schemas.collect(),
        }
    }
}

#[async_trait]
impl Components for FakeComponents {
    fn schema(&self, kind: ComponentKind, name: &str) -> Option<&Schema> {
        self.schemas.get(&(kind, name.to_owned()))
    }

    fn names(&self, kind: ComponentKind) -> Vec<String> {
        let names = self.schemas.keys().filter(|(known, _)| *known == kind);
        names.map(|(_, name)| name.clone()).collect()
    }

    async fn read_data(
        &self,
        _name: &str,
        config: &Configured,
        execute: bool,
    ) -> (Value, Diagnostics) {
        let text = config
            .value
            .get("text")
            .cloned()
            .unwrap_or_else(Value::dynamic);
        if text.as_str() == Some("fail") {
            return (
                Value::dynamic(),
                vec![Diagnostic::error("the echo is broken")],
            );
        }
        let result = if execute {
            text
        } else {
            Value::unknown(host_eval::Type::String)
        };
        (Value::object_of([("result", result)]), Diagnostics::new())
    }
}

/// Runs a future that never waits for anything outside of it.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// A template in files, and what the user said about it.
#[derive(Debug)]
pub(crate) struct Case {
    folder: tempfile::TempDir,
    pub(crate) options: LoadOptions,
    pub(crate) execute_data: bool,
}

/// What became of a template.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) template: Option<Template>,
    pub(crate) builds: Vec<Build>,
    /// One line each: `error main.pkr.hcl:3: Summary`.
    pub(crate) problems: Vec<String>,
    pub(crate) details: Vec<String>,
}

impl Case {
    /// The only file is `main.pkr.hcl`; the path given is the folder.
    pub(crate) fn hcl(text: &str) -> Self {
        Self::with_files(&[("main.pkr.hcl", text)], ".")
    }

    /// The only file is `template.json`, and it is the path given.
    pub(crate) fn legacy(text: &str) -> Self {
        Self::with_files(&[("template.json", text)], "template.json")
    }

    pub(crate) fn with_files(files: &[(&str, &str)], path: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().expect("inside the folder")).expect("a folder");
            std::fs::write(file, text).expect("a file");
        }
        let options = LoadOptions {
            path: path.to_owned(),
            working_dir: folder.path().to_path_buf(),
            core_version: "1.16.0".to_owned(),
            ..LoadOptions::default()
        };
        Self {
            folder,
            options,
            execute_data: true,
        }
    }

    pub(crate) fn var(mut self, name: &str, text: &str) -> Self {
        self.options
            .variables
            .push((name.to_owned(), text.to_owned()));
        self
    }

    pub(crate) fn var_file(mut self, name: &str) -> Self {
        self.options.variable_files.push(PathBuf::from(name));
        self
    }

    pub(crate) fn env(mut self, name: &str, text: &str) -> Self {
        self.options
            .environment
            .insert(name.to_owned(), text.to_owned());
        self
    }

    pub(crate) fn only(mut self, pattern: &str) -> Self {
        self.options.only.push(pattern.to_owned());
        self
    }

    pub(crate) fn except(mut self, pattern: &str) -> Self {
        self.options.except.push(pattern.to_owned());
        self
    }

    pub(crate) fn without_data(mut self) -> Self {
        self.execute_data = false;
        self
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Loads, initialises and plans, as far as it goes.
    pub(crate) fn run(&self) -> Outcome {
        let components = &FakeComponents::new();
        let mut sources = SourceMap::default();
        let (template, mut problems) = load(&self.options, &mut sources);
        let mut builds = Vec::new();
        let mut template = template;
        if let Some(template) = &mut template {
            problems.extend(block_on(template.initialize(components, self.execute_data)));
            if !problems.iter().any(Diagnostic::is_error) {
                let (planned, found) = template.builds(components);
                (builds, problems) = (planned, [problems, found].concat());
                for configured in builds
                    .iter()
                    .flat_map(|build| configure_all(build, components))
                {
                    problems.extend(configured.1.into_iter().map(|p| p.1));
                }
            }
        }
        let details = problems
            .iter()
            .map(|problem| problem.detail.clone())
            .collect();
        let problems = problems
            .iter()
            .map(|problem| problem_line(problem, &sources))
            .collect();
        Outcome {
            template,
            builds,
            problems,
            details,
        }
    }
}

/// Every component of a build in order, configured with placeholders.
pub(crate) fn configure_all(
    build: &Build,
    components: &FakeComponents,
) -> Vec<(String, Vec<(String, Diagnostic)>)> {
    let provisioners = build.provisioners.iter().map(|plan| &plan.component);
    let post_processors = build
        .post_processors
        .iter()
        .flatten()
        .map(|member| &member.component);
    let cleanup = build.error_cleanup.iter().map(|plan| &plan.component);
    let all = std::iter::once(&build.source)
        .chain(provisioners)
        .chain(cleanup)
        .chain(post_processors);
    all.map(|component| {
        let schema = components
            .schema(component.kind, &component.type_name)
            .expect("known");
        let generated = Generated::Names(vec!["Custom".to_owned()]);
        let (configured, problems) = component.configure(schema, &generated);
        let problems = problems
            .into_iter()
            .map(|p| (component.header.clone(), p))
            .collect();
        (show(&configured.value), problems)
    })
    .collect()
}

fn problem_line(problem: &Diagnostic, sources: &SourceMap) -> String {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let place = problem.subject.map_or_else(String::new, |span| {
        let (line, _) = sources.position(span.file, span.start);
        format!(" {}:{line}", sources.name(span.file))
    });
    format!("{severity}{place}: {}", problem.summary)
}

/// A value on one line; what is sensitive stands in parentheses.
pub(crate) fn show(value: &Value) -> String {
    let shown = match &value.kind {
        ValueKind::Unknown => "unknown".to_owned(),
        ValueKind::Null => "null".to_owned(),
        ValueKind::Bool(bool) => bool.to_string(),
        ValueKind::Number(number) => number.normalized().to_plain_string(),
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Sequence(items) => {
            format!(
                "[{}]",
                items.iter().map(show).collect::<Vec<_>>().join(", ")
            )
        }
        ValueKind::Mapping(entries) => {
            let entry = |(key, value)| format!("{key} = {}", show(value));
            format!(
                "{{{}}}",
                entries.iter().map(entry).collect::<Vec<_>>().join(", ")
            )
        }
    };
    if value.sensitive {
        format!("({shown})")
    } else {
        shown
    }
}
