//! Computing variables, locals and data sources.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, nearest};
use host_eval::{Scope, Value, evaluate_within, evaluation_budget};

use crate::hcl::component::{ComponentBody, HclComponent};
use crate::hcl::declarations::{DataBlock, Local};
use crate::hcl::graph::{Vertex, order};
use crate::hcl::module::{Module, assign_inputs, compute_outputs};
use crate::hcl::scope::{data_value, extended, in_block, packer_value, path_value, with_names};
use crate::hcl::surroundings::Surroundings;
use crate::hcl::template::{Caller, HclTemplate};
use crate::hcl::validation::validate;
use crate::hcl::variables::Variable;
use crate::model::{Component, ComponentKind, ComponentSource, Components, Generated};

/// Computes everything outside of builds. Every problem is reported; what depends on a value that
/// could not be computed is left unknown without another message.
pub(crate) async fn initialize(
    template: &mut HclTemplate,
    components: &dyn Components,
    execute_data: bool,
) -> Diagnostics {
    let mut problems = Diagnostics::new();
    for variable in template.variables.values() {
        let allowed = template.options.unset_variables_allowed && template.caller.is_none();
        if variable.assignments.is_empty() && !variable.broken && !allowed {
            problems.push(unset(variable, template.caller.as_ref()));
        }
        problems.extend(validate(variable, &template.options));
    }
    let (order, found) = order(&template.locals, &template.data, &template.modules);
    problems.extend(found);
    let mut modules = std::mem::take(&mut template.modules);
    let names: Vec<String> = modules
        .iter()
        .map(|module| module.block.name.clone())
        .collect();
    let base = variable_scope(template);
    let mut results: HashMap<Vertex, Value> = HashMap::new();
    // All locals together may spend what one expression may: each can be small, and all together
    // more than any machine can keep, when each is made of two of the one before.
    let mut budget = evaluation_budget();
    for vertex in order.vertices {
        let needs = &order.needs[&vertex];
        let scope = scope_with(template, &names, (&base, needs), &results);
        let (value, found) = match vertex {
            Vertex::Local(index) => compute_local(&template.locals[index], &scope, &mut budget),
            Vertex::Data(index) => {
                let data = &template.data[index];
                read_data(template, data, &scope, components, execute_data).await
            }
            Vertex::Module(index) => {
                let called = run_module(&mut modules[index], &scope, components, execute_data);
                Box::pin(called).await
            }
        };
        problems.extend(found);
        results.insert(vertex, value);
    }
    template.modules = modules;
    finish(template, &base, results);
    let (outputs, found) = compute_outputs(&template.outputs, &template.scope());
    problems.extend(found);
    template.output_values = outputs;
    problems
}

/// Computes the template of a module with the values its caller has for it; the value is that of
/// its outputs.
async fn run_module(
    module: &mut Module,
    scope: &Scope,
    components: &dyn Components,
    execute_data: bool,
) -> (Value, Diagnostics) {
    let mut problems = assign_inputs(module, scope);
    problems.extend(initialize(&mut module.template, components, execute_data).await);
    (module.template.output_values.clone(), problems)
}

fn unset(variable: &Variable, caller: Option<&Caller>) -> Diagnostic {
    let problem = Diagnostic::error(format!("Unset variable \"{}\"", variable.name))
        .detail("A used variable must be set or have a default value; this one has neither.")
        .at(variable.span)
        .context(variable.header.clone());
    let name = &variable.name;
    match caller {
        Some(caller) => problem
            .related(caller.span, "the module is called here")
            .hint(format!(
                "Set `{name} = …` in the block of module \"{}\", or give it a default.",
                caller.name
            )),
        None => problem.hint(format!(
            "Pass `-var {name}=…` or a value file, set PKR_VAR_{name}, or give it a default."
        )),
    }
}

/// Variables, `path` and `packer`: all that is known before anything is computed.
pub(crate) fn variable_scope(template: &HclTemplate) -> Scope {
    let variables = template.variables.values();
    let values: BTreeMap<String, Value> = variables
        .map(|variable| (variable.name.clone(), variable.value()))
        .collect();
    let names = HashMap::from([
        ("var".to_owned(), Value::object(values)),
        (
            "path".to_owned(),
            path_value(&template.options, &template.base_dir),
        ),
        ("packer".to_owned(), packer_value(&template.options)),
    ]);
    with_names(&template.options, Path::new(&template.base_dir), names)
}

/// `base` with the locals, data sources and modules that `needs` lists.
fn scope_with(
    template: &HclTemplate,
    modules: &[String],
    (base, needs): (&Scope, &[Vertex]),
    results: &HashMap<Vertex, Value>,
) -> Scope {
    if needs.is_empty() {
        return base.clone();
    }
    let value = |vertex: &Vertex| results.get(vertex).cloned().unwrap_or_else(Value::dynamic);
    let mut locals = BTreeMap::new();
    let mut data: Vec<(&DataBlock, Value)> = Vec::new();
    let mut called = BTreeMap::new();
    for vertex in needs {
        match vertex {
            Vertex::Local(index) => {
                locals.insert(template.locals[*index].name.clone(), value(vertex));
            }
            Vertex::Data(index) => data.push((&template.data[*index], value(vertex))),
            Vertex::Module(index) => {
                called.insert(modules[*index].clone(), value(vertex));
            }
        }
    }
    let mut names = Vec::new();
    if !locals.is_empty() {
        names.push(("local", Value::object(locals)));
    }
    if !data.is_empty() {
        names.push(("data", data_object(&data)));
    }
    if !called.is_empty() {
        names.push(("module", Value::object(called)));
    }
    extended(base, names)
}

fn data_object(results: &[(&DataBlock, Value)]) -> Value {
    let triple = |(data, value)| -> (&str, &str, &Value) {
        let data: &DataBlock = data;
        (&data.type_name, &data.name, value)
    };
    data_value(results.iter().map(|(data, value)| triple((*data, value))))
}

fn compute_local(local: &Local, scope: &Scope, budget: &mut usize) -> (Value, Diagnostics) {
    if *budget == 0 {
        // The one that spent the rest has been told of.
        return (Value::dynamic(), Diagnostics::new());
    }
    let (value, found) = evaluate_within(&local.expr, scope, budget);
    (
        value.marked_like(local.sensitive),
        in_block(found, &local.header),
    )
}

async fn read_data(
    template: &HclTemplate,
    data: &DataBlock,
    scope: &Scope,
    components: &dyn Components,
    execute: bool,
) -> (Value, Diagnostics) {
    let Some(schema) = components.schema(ComponentKind::DataSource, &data.type_name) else {
        return (Value::dynamic(), vec![unknown_type(data, components)]);
    };
    let surroundings = Surroundings::new(scope.clone(), None, None, &template.options);
    let source = HclComponent {
        bodies: vec![ComponentBody {
            body: Arc::new(data.body.clone()),
            ignored: &[],
        }],
        overrides: None,
        surroundings: Arc::new(surroundings),
    };
    let component = Component {
        kind: ComponentKind::DataSource,
        type_name: data.type_name.clone(),
        span: Some(data.span),
        header: data.header.clone(),
        instance: None,
        source: ComponentSource::Hcl(Arc::new(source)),
    };
    let (configured, mut problems) = component.configure(schema, &Generated::Names(Vec::new()));
    if problems.iter().any(Diagnostic::is_error) {
        return (Value::dynamic(), problems);
    }
    let (value, found) = components
        .read_data(&data.type_name, &configured, execute)
        .await;
    let failed = found.iter().any(Diagnostic::is_error);
    for problem in in_block(found, &data.header) {
        problems.push(match problem.subject {
            Some(_) => problem,
            None => problem.at(data.span),
        });
    }
    (if failed { Value::dynamic() } else { value }, problems)
}

fn unknown_type(data: &DataBlock, components: &dyn Components) -> Diagnostic {
    let known = components.names(ComponentKind::DataSource);
    let near = nearest(&data.type_name, known.iter().map(String::as_str));
    Diagnostic::error(format!("Unknown data type {}", data.type_name))
        .detail(match known.as_slice() {
            [] => "No plugin here offers data sources.".to_owned(),
            known => format!("Known: {}", known.join(", ")),
        })
        .at(data.type_span)
        .context(data.header.clone())
        .hint(near.map(|near| format!("Did you mean `{near}`?")))
}

/// Keeps what was computed: the scope of everything that follows.
fn finish(template: &mut HclTemplate, base: &Scope, mut results: HashMap<Vertex, Value>) {
    let mut take = |vertex| results.remove(&vertex).unwrap_or_else(Value::dynamic);
    let locals: Vec<(String, Value)> = (0..template.locals.len())
        .map(|index| {
            let local = &template.locals[index];
            (
                local.name.clone(),
                take(Vertex::Local(index)).marked_like(local.sensitive),
            )
        })
        .collect();
    let data: Vec<(&DataBlock, Value)> = template
        .data
        .iter()
        .enumerate()
        .map(|(i, data)| (data, take(Vertex::Data(i))))
        .collect();
    let data = data_object(&data);
    let object = Value::object(locals.iter().cloned().collect());
    let mut names = vec![("local", object), ("data", data)];
    if !template.modules.is_empty() {
        let modules = template.modules.iter().enumerate();
        let called =
            modules.map(|(i, module)| (module.block.name.clone(), take(Vertex::Module(i))));
        names.push(("module", Value::object(called.collect())));
    }
    template.scope = Some(extended(base, names));
    template.local_values = locals.into_iter().collect();
}
