//! What the components of one build can see.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use host_eval::{Scope, Type, Value};
use sdk_go_template::{BuildValues, Context};

use crate::hcl::scope::extended;
use crate::model::Generated;
use crate::options::LoadOptions;
use crate::render::{GENERATED_NAMES, Renderer, build_values};
use crate::values::UNKNOWN_TEXT;

/// What the components of one build can see; shared by all of them.
#[derive(Debug)]
pub(crate) struct Surroundings {
    /// Variables, locals, data, functions.
    pub(crate) base: Scope,
    /// Builder type and local name of the source, as `source.*`; data sources have none.
    pub(crate) source: Option<SourceNames>,
    /// `build.name`; `None` where `build.*` does not exist.
    pub(crate) build_name: Option<String>,
    /// What Go template calls see.
    pub(crate) context: Context,
    /// What was made for the names of generated values it was last asked with.
    prepared: Mutex<Option<(Names, Arc<View>)>>,
}

/// The names of generated values; `None` when nothing is known of the machine.
type Names = Option<Vec<String>>;

/// What bodies are evaluated and rendered with.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) scope: Scope,
    pub(crate) renderer: Renderer,
}

/// What the source of a build is called.
#[derive(Clone, Debug)]
pub(crate) struct SourceNames {
    pub(crate) type_name: String,
    /// The label of the source block.
    pub(crate) label: String,
    /// The name in the build.
    pub(crate) local_name: String,
    /// What it is called together with other instances, the fewest first.
    pub(crate) groups: Vec<String>,
}

impl SourceNames {
    /// `source` in expressions.
    pub(crate) fn value(&self) -> Value {
        Value::object_of([
            ("name", Value::string(self.local_name.as_str())),
            ("type", Value::string(self.type_name.as_str())),
        ])
    }
}

impl Surroundings {
    pub(crate) fn new(
        base: Scope,
        source: Option<SourceNames>,
        build_name: Option<String>,
        options: &LoadOptions,
    ) -> Self {
        let context = Context {
            build_name: source.as_ref().map(|source| source.label.clone()),
            build_type: source.as_ref().map(|source| source.type_name.clone()),
            working_dir: options.working_dir.to_string_lossy().into_owned(),
            core_version: options.core_version.clone(),
            started_at_unix_nanos: options.started_at_unix_nanos,
            hcl: true,
            ..Context::default()
        };
        Self {
            base,
            source,
            build_name,
            context,
            prepared: Mutex::new(None),
        }
    }

    /// What bodies are evaluated and rendered with. All components of a build are prepared with
    /// the same names, so that is made once.
    pub(crate) fn view(&self, generated: &Generated) -> Arc<View> {
        let make = || {
            Arc::new(View {
                scope: self.make_scope(generated),
                renderer: self.renderer(generated),
            })
        };
        let names = match generated {
            Generated::Names(names) => Some(names),
            Generated::Later => None,
            Generated::Values(_) => return make(),
        };
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        match &*prepared {
            Some((known, view)) if known.as_ref() == names => Arc::clone(view),
            _ => {
                let view = make();
                *prepared = Some((names.cloned(), Arc::clone(&view)));
                view
            }
        }
    }

    fn make_scope(&self, generated: &Generated) -> Scope {
        let mut names = Vec::new();
        if let Some(source) = &self.source {
            names.push(("source", source.value()));
        }
        if let Some(build_name) = &self.build_name {
            names.push(("build", build_value(build_name, generated)));
        }
        if names.is_empty() {
            self.base.clone()
        } else {
            extended(&self.base, names)
        }
    }

    /// What Go template calls see.
    fn renderer(&self, generated: &Generated) -> Renderer {
        let build = match (&self.build_name, generated) {
            (None, _) => BuildValues::Unavailable,
            (Some(_), generated) => build_values(generated),
        };
        Renderer::hcl(
            Context {
                build,
                ..self.context.clone()
            },
            generated,
        )
    }
}

/// `build`: what is known of the machine, or a placeholder for each name.
fn build_value(build_name: &str, generated: &Generated) -> Value {
    let mut entries = BTreeMap::new();
    match generated {
        Generated::Names(names) => {
            let common = GENERATED_NAMES.iter().copied();
            for name in names.iter().map(String::as_str).chain(common) {
                entries.insert(name.to_owned(), Value::string(UNKNOWN_TEXT));
            }
        }
        Generated::Later => {
            let common = GENERATED_NAMES.iter().copied();
            entries.extend(common.map(|name| (name.to_owned(), Value::unknown(Type::String))));
        }
        Generated::Values(values) => entries.clone_from(values),
    }
    entries.insert("name".to_owned(), Value::string(build_name));
    Value::object(entries)
}
