//! Locals, data sources and modules as one graph: what needs what, and in which order they are computed.

use std::collections::{HashMap, HashSet};

use host_diag::{Diagnostic, Diagnostics};
use host_eval::{Reference, references};
use host_syntax::ast::Body;
use host_syntax::json;

use crate::hcl::declarations::{DataBlock, Local};
use crate::hcl::module::Module;

/// A vertex: the n-th local, data source or module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Vertex {
    Local(usize),
    Data(usize),
    Module(usize),
}

/// The order of computation. Vertices with a broken dependency, and those in a cycle, are not in
/// it; problems say why.
#[derive(Debug, Default)]
pub(crate) struct Order {
    pub(crate) vertices: Vec<Vertex>,
    /// Which locals and data sources each vertex uses.
    pub(crate) needs: HashMap<Vertex, Vec<Vertex>>,
}

/// Members of a cycle that a message names.
const MOST_SHOWN: usize = 20;

struct Graph<'a> {
    locals: &'a [Local],
    data: &'a [DataBlock],
    modules: &'a [Module],
    local_index: HashMap<&'a str, usize>,
    data_index: HashMap<(&'a str, &'a str), usize>,
    module_index: HashMap<&'a str, usize>,
    needs: HashMap<Vertex, Vec<Vertex>>,
    broken: HashSet<Vertex>,
    problems: Diagnostics,
}

/// Orders locals, data sources and modules so that everything comes after what it needs.
pub(crate) fn order(
    locals: &[Local],
    data: &[DataBlock],
    modules: &[Module],
) -> (Order, Diagnostics) {
    let mut graph = Graph {
        locals,
        data,
        modules,
        local_index: locals
            .iter()
            .enumerate()
            .map(|(i, l)| (l.name.as_str(), i))
            .collect(),
        data_index: data
            .iter()
            .enumerate()
            .map(|(i, d)| ((d.type_name.as_str(), d.name.as_str()), i))
            .collect(),
        module_index: modules
            .iter()
            .enumerate()
            .map(|(i, module)| (module.block.name.as_str(), i))
            .collect(),
        needs: HashMap::new(),
        broken: HashSet::new(),
        problems: Diagnostics::new(),
    };
    let vertices: Vec<Vertex> = (0..data.len())
        .map(Vertex::Data)
        .chain((0..locals.len()).map(Vertex::Local))
        .chain((0..modules.len()).map(Vertex::Module))
        .collect();
    for vertex in &vertices {
        graph.connect(*vertex);
    }
    let ordered = graph.sort(&vertices);
    (
        Order {
            vertices: ordered,
            needs: graph.needs,
        },
        graph.problems,
    )
}

impl Graph<'_> {
    /// Finds what `vertex` needs.
    fn connect(&mut self, vertex: Vertex) {
        let used = match vertex {
            Vertex::Local(index) => references(&self.locals[index].expr),
            Vertex::Data(index) => body_references(&self.data[index].body.body),
            Vertex::Module(index) => {
                let inputs = self.modules[index].block.inputs.iter();
                inputs.flat_map(|input| references(&input.expr)).collect()
            }
        };
        let mut needs = Vec::new();
        for reference in used {
            match self.target(&reference) {
                Ok(None) => {}
                Ok(Some(target)) => {
                    if !needs.contains(&target) {
                        needs.push(target);
                    }
                }
                Err((summary, what)) => {
                    self.broken.insert(vertex);
                    let detail = what.replace("{vertex}", &self.name(vertex));
                    let problem = Diagnostic::error(summary).detail(detail).at(reference.span);
                    self.problems.push(problem.context(self.header(vertex)));
                }
            }
        }
        self.needs.insert(vertex, needs);
    }

    /// The vertex that a reference is to, `None` for other kinds of names.
    fn target(&self, reference: &Reference) -> Result<Option<Vertex>, (&'static str, String)> {
        let missing = |name: String, near: Option<&str>| {
            let hint = near
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            let text = format!(
                "could not get dependency \"{name}\" for \"{{vertex}}\", \"{name}\" missing in \
                 template{hint}"
            );
            ("failed to prepare execution graph", text)
        };
        match (reference.root.as_str(), reference.path.as_slice()) {
            ("local", [name, ..]) => match self.local_index.get(name.as_str()) {
                Some(index) => Ok(Some(Vertex::Local(*index))),
                None => {
                    let near = host_diag::nearest(name, self.local_index.keys().copied());
                    Err(missing(format!("local.{name}"), near))
                }
            },
            ("data", [kind, name, ..]) => {
                match self.data_index.get(&(kind.as_str(), name.as_str())) {
                    Some(index) => Ok(Some(Vertex::Data(*index))),
                    None => {
                        let names = self.data.iter().filter(|data| &data.type_name == kind);
                        let near = host_diag::nearest(name, names.map(|data| data.name.as_str()));
                        Err(missing(format!("data.{kind}.{name}"), near))
                    }
                }
            }
            ("module", [name, ..]) => match self.module_index.get(name.as_str()) {
                Some(index) => Ok(Some(Vertex::Module(*index))),
                None => {
                    let near = host_diag::nearest(name, self.module_index.keys().copied());
                    Err(missing(format!("module.{name}"), near))
                }
            },
            ("local", []) => Err((
                "failed to process local dependency",
                "`local` has to be followed by the name of a local, as in `local.name`.".into(),
            )),
            ("data", _) => Err((
                "failed to process datasource dependency",
                "`data` has to be followed by a type and a name, as in `data.http.name`.".into(),
            )),
            _ => Ok(None),
        }
    }

    /// Depth first, without recursion on the call stack: templates can chain thousands of locals.
    fn sort(&mut self, vertices: &[Vertex]) -> Vec<Vertex> {
        #[derive(Clone, Copy, PartialEq)]
        enum State {
            Open,
            Done,
        }
        let mut states: HashMap<Vertex, State> = HashMap::new();
        let mut ordered = Vec::new();
        for &start in vertices {
            let mut stack = vec![(start, 0_usize)];
            if states.contains_key(&start) {
                continue;
            }
            states.insert(start, State::Open);
            while let Some((vertex, next)) = stack.pop() {
                let Some(&need) = self.needs[&vertex].get(next) else {
                    states.insert(vertex, State::Done);
                    if self.needs[&vertex]
                        .iter()
                        .any(|need| self.broken.contains(need))
                    {
                        self.broken.insert(vertex);
                    }
                    if !self.broken.contains(&vertex) {
                        ordered.push(vertex);
                    }
                    continue;
                };
                stack.push((vertex, next + 1));
                match states.get(&need) {
                    None => {
                        states.insert(need, State::Open);
                        stack.push((need, 0));
                    }
                    Some(State::Open) => {
                        let path: Vec<Vertex> = stack.iter().map(|(vertex, _)| *vertex).collect();
                        self.report_cycle(&path, need);
                    }
                    Some(State::Done) => {}
                }
            }
        }
        ordered
    }

    /// Reports the part of `path` from `first` on, which leads back to `first`.
    fn report_cycle(&mut self, path: &[Vertex], first: Vertex) {
        let start = path.iter().position(|vertex| *vertex == first).unwrap_or(0);
        let members = &path[start..];
        if members.iter().all(|vertex| self.broken.contains(vertex)) {
            // Another way through the same tangle; there may be as many as there are pairs.
            return;
        }
        self.broken.extend(members.iter().copied());
        let shown = members.iter().take(MOST_SHOWN);
        let mut names: Vec<String> = shown.map(|vertex| self.name(*vertex)).collect();
        if let Some(more @ 1..) = members.len().checked_sub(MOST_SHOWN) {
            names.push(format!("{more} more"));
        }
        names.push(self.name(first));
        let what = match members {
            [_] => format!("self reference: {} needs its own value", names[0]),
            _ => format!("cycle: {}", names.join(" -> ")),
        };
        let mut problem = Diagnostic::error("failed to prepare execution graph")
            .detail(what)
            .at(self.span(first))
            .context(self.header(first));
        for member in members.iter().take(MOST_SHOWN).skip(1) {
            problem = problem.related(self.span(*member), "part of the cycle");
        }
        self.problems.push(problem);
    }

    fn name(&self, vertex: Vertex) -> String {
        match vertex {
            Vertex::Local(index) => format!("local.{}", self.locals[index].name),
            Vertex::Data(index) => {
                format!(
                    "data.{}.{}",
                    self.data[index].type_name, self.data[index].name
                )
            }
            Vertex::Module(index) => format!("module.{}", self.modules[index].block.name),
        }
    }

    fn header(&self, vertex: Vertex) -> String {
        match vertex {
            Vertex::Local(index) => self.locals[index].header.clone(),
            Vertex::Data(index) => self.data[index].header.clone(),
            Vertex::Module(index) => self.modules[index].block.header.clone(),
        }
    }

    fn span(&self, vertex: Vertex) -> host_diag::Span {
        match vertex {
            Vertex::Local(index) => self.locals[index].span,
            Vertex::Data(index) => self.data[index].span,
            Vertex::Module(index) => self.modules[index].block.span,
        }
    }
}

/// Every reference in a body and the blocks in it.
fn body_references(body: &Body) -> Vec<Reference> {
    match body {
        Body::Native(native) => {
            let attributes = native.attributes.iter().flat_map(|a| references(&a.expr));
            let blocks = native
                .blocks
                .iter()
                .flat_map(|block| body_references(&block.body));
            attributes.chain(blocks).collect()
        }
        Body::Json(value) => json_references(value),
    }
}

/// References in the texts of a JSON body, wherever they stand: which of them are attributes is
/// not known without the schema, but all of them are templates.
fn json_references(value: &json::Value) -> Vec<Reference> {
    match &value.kind {
        json::Kind::String(text) if text.contains("${") || text.contains("%{") => {
            let offset = value.span.start as usize + 1;
            let (expr, _) = host_syntax::parse_template(value.span.file, offset, text);
            expr.as_ref().map(references).unwrap_or_default()
        }
        json::Kind::Array(items) => items.iter().flat_map(json_references).collect(),
        json::Kind::Object(members) => members
            .iter()
            .flat_map(|member| json_references(&member.value))
            .collect(),
        _ => Vec::new(),
    }
}
