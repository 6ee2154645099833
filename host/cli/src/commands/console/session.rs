//! Answers to lines.

use host_diag::{Diagnostic, Diagnostics, FileId, SourceMap, Span};
use host_eval::{Scope, console_text, evaluate, functions, references};
use host_syntax::{Expr, ExprKind, parse_expression};
use host_template::Template;

/// The name of what is typed, in messages.
const INPUT: &str = "<console-input>";
/// Columns of a list of names.
const WIDTH: usize = 78;

/// What a session evaluates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// Expressions of HCL2.
    Expressions,
    /// Text with template calls, of legacy JSON.
    TemplateText,
}

/// What a line amounts to.
#[derive(Debug)]
pub(super) enum Answer {
    /// Print this.
    Text(String),
    /// Report these; they are about the line.
    Problems(Diagnostics, SourceMap),
    /// End the session.
    Leave,
}

/// A template whose values can be tried out.
#[derive(Debug)]
pub(super) struct Session {
    template: Template,
    scope: Option<Scope>,
}

impl Session {
    pub(super) fn new(template: Template) -> Self {
        let scope = template.console_scope();
        Self { template, scope }
    }

    pub(super) fn language(&self) -> Language {
        match self.scope {
            Some(_) => Language::Expressions,
            None => Language::TemplateText,
        }
    }

    /// The names expressions can use; `None` for a session of template calls.
    pub(super) fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// Names of the user variables, for a session of template calls.
    pub(super) fn user_variables(&self) -> Vec<String> {
        let variables = self.template.console_variables().into_iter();
        variables.map(|(name, _)| name).collect()
    }

    /// Evaluates a line, or does what the command in it says.
    pub(super) fn answer(&self, line: &str) -> Answer {
        let line = line.trim();
        match (line, &self.scope) {
            ("", _) => Answer::Text(String::new()),
            ("exit", _) => Answer::Leave,
            ("help", _) => Answer::Text(self.help()),
            ("variables", _) => Answer::Text(self.variables()),
            (_, Some(scope)) => match line.strip_prefix("help ") {
                Some(topic) => Answer::Text(help_of(topic.trim())),
                None => expression(line, scope),
            },
            (_, None) => self.template_text(line),
        }
    }

    fn template_text(&self, line: &str) -> Answer {
        match self.template.render(line) {
            Some(Err(error)) => {
                let mut sources = SourceMap::default();
                let file = sources.add(INPUT, line);
                let at = error.offset.min(line.len());
                let problem = Diagnostic::error("Interpolation error")
                    .detail(sentence(&error.message))
                    .at(Span::new(file, at, (at + 1).min(line.len())));
                Answer::Problems(vec![problem], sources)
            }
            Some(Ok(text)) => Answer::Text(text),
            None => Answer::Text(line.to_owned()),
        }
    }

    /// All variables, in the forms that Packer prints; those of HCL2 as `inspect` prints them.
    fn variables(&self) -> String {
        if self.scope.is_some() {
            let (text, _) = self.template.inspect();
            let start = text.find("> input-variables:").unwrap_or_default();
            let end = text.find("\n> builds:").unwrap_or(text.len());
            return text[start..end].to_owned();
        }
        let variables = self.template.console_variables().into_iter();
        let lines = variables.map(|(name, value)| format!("{name}: {value},\n"));
        format!("\n{}", lines.collect::<String>())
    }

    fn help(&self) -> String {
        let what = match self.language() {
            Language::Expressions => {
                "Type an expression to see its value: `upper(var.name)`, `local.tags[\"a\"]`,\n\
                 `[for n in range(3) : n * 2]`. It sees the template's variables (`var`), locals\n\
                 (`local`), `path`, `packer` and all functions. Open brackets and heredocs go on\n\
                 in the next line. Go template calls such as {{timestamp}} are not evaluated.\n\n  \
                 type(EXPRESSION)  the type of a value\n  \
                 help functions    the names of all functions\n  \
                 help FUNCTION     how a function is called and what it returns\n"
            }
            Language::TemplateText => {
                "Type text with template calls to see what becomes of it: {{user `name`}},\n\
                 {{timestamp}}, {{isotime \"2006-01-02\"}}.\n\n"
            }
        };
        format!(
            "{what}  variables         all variables and their values\n  \
             exit              leave; so do Ctrl-D, and Ctrl-C in an empty line"
        )
    }
}

/// The value of an expression, or its type for `type(…)`, which is no function of templates.
fn expression(text: &str, scope: &Scope) -> Answer {
    let mut sources = SourceMap::default();
    let file = sources.add(INPUT, text);
    let (mut parsed, mut problems) = parse_expression(file, 0, text);
    if !problems.is_empty() && text.contains("<<") {
        // The closing word of a heredoc must have a line break, which is not typed.
        let ended = parse_expression(file, 0, &format!("{text}\n"));
        if ended.1.is_empty() {
            (parsed, problems) = ended;
        }
    }
    if let Some(parsed) = parsed.filter(|_| !problems.iter().any(Diagnostic::is_error)) {
        let asked = type_of(&parsed);
        let (value, found) = evaluate(asked.unwrap_or(&parsed), scope);
        problems.extend(found);
        if problems.is_empty() {
            return Answer::Text(match asked {
                // Names of attributes may be secrets, too.
                Some(_) if value.sensitive => value.ty.friendly_name(),
                Some(_) => value.ty.to_string(),
                None => console_text(&value),
            });
        }
        if references(&parsed).iter().any(|one| one.root == "data") {
            explain_data(&mut problems, file);
        }
    }
    Answer::Problems(problems, sources)
}

fn type_of(expression: &Expr) -> Option<&Expr> {
    match &expression.kind {
        ExprKind::Call { name, args, .. } if name.name == "type" => match args.as_slice() {
            [one] => Some(one),
            _ => None,
        },
        _ => None,
    }
}

fn explain_data(problems: &mut Diagnostics, file: FileId) {
    let about_names = problems
        .iter_mut()
        .find(|problem| problem.subject.is_some_and(|span| span.file == file));
    if let Some(problem) = about_names {
        let hint = "Data sources have no name here; a local that uses one can be looked at.";
        problem.hints = vec![hint.to_owned()];
    }
}

/// What is known of a function, or the names of all.
fn help_of(topic: &str) -> String {
    if topic == "functions" {
        return columns(functions().iter().map(|function| function.name));
    }
    let name = topic.trim_end_matches("()");
    if let Some(found) = functions().iter().find(|function| function.name == name) {
        return format!("{}\n\n  {}", found.signature, found.doc);
    }
    let near = host_diag::nearest(name, functions().iter().map(|function| function.name));
    let hint = near.map(|near| format!(" Did you mean `{near}`?"));
    format!(
        "There is no function `{name}`.{} `help functions` lists all of them.",
        hint.unwrap_or_default()
    )
}

fn columns<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    let mut width = 0;
    for name in names {
        if width > 0 && width + name.len() + 2 > WIDTH {
            text.push_str(",\n");
            width = 0;
        } else if width > 0 {
            text.push_str(", ");
            width += 2;
        }
        text.push_str(name);
        width += name.len();
    }
    text
}

fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(|first| first.to_uppercase());
    let begun: String = first.into_iter().flatten().chain(characters).collect();
    match begun.ends_with(['.', '?', '!']) {
        true => begun,
        false => format!("{begun}."),
    }
}
