//! Every title that Packer has for what is wrong with a template, made to happen: where it points,
//! what it marks, and that it says what to do.

mod builds;
mod declarations;
mod legacy;
mod legacy_options;
mod outside;
mod table;
mod titles;

use host_diag::{Diagnostic, Severity, SourceMap};

use self::table::Row;
use self::titles::{ABSENT, TITLES};
use crate::testing::{Case, FakeComponents, block_on};
use crate::{load_for_check, without_consequences};

/// All rows, of both languages.
fn rows() -> impl Iterator<Item = &'static Row> {
    [
        declarations::ROWS,
        outside::ROWS,
        builds::ROWS,
        legacy::ROWS,
        legacy_options::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// Everything found wrong, as `validate` finds it, as far as no plugin runs.
fn examine(case: &Case) -> (Vec<Diagnostic>, SourceMap) {
    let components = FakeComponents::new();
    let mut sources = SourceMap::default();
    let examined = load_for_check(&case.options, &mut sources);
    let mut problems = examined.problems;
    let mut template = examined.template;
    if let Some(template) = &mut template {
        problems.extend(template.missing_plugins(&components));
        problems.extend(block_on(
            template.initialize(&components, case.execute_data),
        ));
        let (builds, found) = template.builds(&components);
        problems.extend(found);
        for build in &builds {
            let configured = crate::testing::configure_all(build, &components);
            problems.extend(
                configured
                    .into_iter()
                    .flat_map(|one| one.1)
                    .map(|one| one.1),
            );
        }
    }
    let known: (_, Option<&dyn crate::Components>) = (template.as_ref(), Some(&components));
    let problems = without_consequences(problems, examined.incomplete, known, &sources);
    (problems, sources)
}

/// `main.pkr.hcl 3:5-8 Summary`, or the summary alone for what is in no file.
fn line(problem: &Diagnostic, sources: &SourceMap) -> String {
    let warning = match problem.severity {
        Severity::Warning => "warning: ",
        Severity::Error => "",
    };
    let Some(span) = problem.subject else {
        return format!("{warning}{}", problem.summary);
    };
    let (first, column) = sources.position(span.file, span.start);
    let (last, end) = sources.position(span.file, span.end);
    let end = match last == first {
        true => end.to_string(),
        false => format!("{last}:{end}"),
    };
    let name = sources.name(span.file);
    format!("{warning}{name} {first}:{column}-{end} {}", problem.summary)
}

/// The source that is marked; empty for what is in no file.
fn marked<'a>(problem: &Diagnostic, sources: &'a SourceMap) -> &'a str {
    let text = problem.subject.map(|span| {
        let text = sources.text(span.file);
        &text[span.start as usize..span.end as usize]
    });
    text.unwrap_or_default()
}

/// A row's problems as the table has them.
fn shown(found: &[[String; 4]]) -> String {
    let rows = found.iter().map(|[line, marked, values, remedy]| {
        format!("({line:?}, {marked:?}, {values:?}, {remedy:?}),\n")
    });
    rows.collect()
}

#[test]
fn every_problem_has_title_place_mark_values_and_remedy() {
    let mut wrong = Vec::new();
    for (number, row) in rows().enumerate() {
        let (problems, sources) = examine(&(row.case)());
        let found: Vec<[String; 4]> = problems
            .iter()
            .map(|problem| {
                // Where Packer's own words ask what was meant, nothing needs to be added.
                let remedy = match problem.hints.as_slice() {
                    [] if problem.detail.contains("id you mean ") => problem.detail.clone(),
                    hints => hints.join(" | "),
                };
                [
                    line(problem, &sources),
                    marked(problem, &sources).to_owned(),
                    problem.values_text(),
                    remedy,
                ]
            })
            .collect();
        let expected = row.found.iter();
        let expected: Vec<[String; 4]> = expected
            .map(|(line, marked, values, remedy)| {
                [*line, marked, values, remedy].map(str::to_owned)
            })
            .collect();
        if found != expected || found.iter().any(|[.., remedy]| remedy.is_empty()) {
            wrong.push(format!("row {number}:\n{}", shown(&found)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_title_is_in_the_table_or_cannot_come_up() {
    let found: Vec<&str> = rows().flat_map(|row| row.found).map(|one| one.0).collect();
    let has = |title: &str| {
        found.iter().any(|line| {
            let line = line.strip_prefix("warning: ").unwrap_or(line);
            line.starts_with(title) || line.contains(&format!(" {title}"))
        })
    };
    for title in TITLES.iter().chain(legacy::TITLES) {
        let absent = ABSENT.iter().any(|(known, _)| known == title);
        assert!(
            has(title) != absent,
            "{title}: in the table {}, absent {absent}",
            has(title)
        );
    }
    for (title, reason) in ABSENT {
        assert!(TITLES.contains(title) && reason.ends_with('.'), "{title}");
    }
}

#[test]
fn no_value_of_a_sensitive_variable_is_told() {
    for row in rows() {
        let (problems, sources) = examine(&(row.case)());
        let text = host_diag::render_text(&problems, &sources);
        let json = host_diag::render_json(&problems, &sources);
        assert!(!text.contains("hidden-text"), "{text}");
        assert!(!json.contains("hidden-text"), "{json}");
    }
}

#[track_caller]
fn check_titles(case: &Case, expected: &[&str]) {
    let (problems, sources) = examine(case);
    let found: Vec<String> = problems.iter().map(|one| line(one, &sources)).collect();
    assert_eq!(found, expected, "{problems:#?}");
}

#[test]
fn missing_plugins_are_one_problem_and_explain_their_components() {
    let text = "packer {\n  required_plugins {\n    cloud = { source = \"github.com/x/cloud\", version = \"~> 1\" }\n    \
                tool  = { source = \"github.com/x/tool\", version = \"~> 1\" }\n    \
                mine  = { source = \"github.com/x/machine\", version = \"~> 9\" }\n  }\n}\n\
                source \"cloud-disk\" \"a\" {}\nbuild {\n  sources = [\"cloud-disk.a\"]\n  \
                provisioner \"tool\" {}\n  provisioner \"tols\" {}\n}\n";
    check_titles(
        &Case::hcl(text),
        &[
            "main.pkr.hcl 3:5-10 Missing plugins",
            "main.pkr.hcl 12:15-21 Unknown provisioner type \"tols\"",
        ],
    );
}

#[test]
fn what_refers_to_a_module_that_cannot_be_read_is_not_told_as_well() {
    let text = "module \"base\" { source = \"./nowhere\" }\nlocals {\n  a = module.base.x\n  b = module.other.x\n}\n";
    check_titles(
        &Case::hcl(&super::complete(text)),
        &[
            "main.pkr.hcl 1:26-37 Invalid module source",
            "main.pkr.hcl 4:7-21 failed to prepare execution graph",
        ],
    );
}

#[test]
fn variables_whose_values_may_be_in_a_broken_file_are_not_told_as_well() {
    let template = super::complete("variable \"a\" {}\nvariable \"b\" {}");
    let files = [
        ("main.pkr.hcl", template.as_str()),
        ("v.pkrvars.hcl", "a = \"x\nb = 1\n"),
        ("w.pkrvars.hcl", "a = 1\n"),
    ];
    let case = |name: &str| Case::with_files(&files, "main.pkr.hcl").var_file(name);
    check_titles(
        &case("v.pkrvars.hcl"),
        &["v.pkrvars.hcl 1:5-7 Invalid multi-line string"],
    );
    check_titles(&case("nowhere.pkrvars.hcl"), &["Failed to read file"]);
    check_titles(
        &case("w.pkrvars.hcl"),
        &["main.pkr.hcl 2:1-13 Unset variable \"b\""],
    );
    let legacy = "{\"variables\": {\"a\": null}, \"builders\": [{\"type\": \"null\"}]}";
    let case = Case::with_files(&[("t.json", legacy), ("v.json", "{")], "t.json");
    check_titles(
        &case.var_file("v.json"),
        &["v.json 1:1-2 Error reading variables in 'v.json'"],
    );
}

#[test]
fn a_misspelt_argument_is_not_missing_as_well() {
    let text = "source \"machine\" \"m\" {\n  disk { siz = 1 }\n  disk {}\n}\nbuild { sources = [\"machine.m\"] }\n";
    check_titles(
        &Case::hcl(text),
        &[
            "main.pkr.hcl 2:10-13 Unsupported argument",
            "main.pkr.hcl 3:3-7 Missing required argument",
        ],
    );
    let text = "variable \"a\" {\n  defalt = 1\n}\nvariable \"b\" {}\nsource \"null\" \"a\" {}\nbuild {\n  sorces = [\"null.a\"]\n}\n\
                build {\n  sources = [\"null.b\", \"null.a\"]\n}\n";
    check_titles(
        &Case::hcl(text),
        &[
            "main.pkr.hcl 2:3-9 Unsupported argument",
            "main.pkr.hcl 4:1-13 Unset variable \"b\"",
            "main.pkr.hcl 7:3-9 Unsupported argument",
            "main.pkr.hcl 10:14-22 Unknown source null.b",
        ],
    );
    let text = "{\"builders\": [{\"type\": \"null\"}], \"provisioners\": [{\"type\": \"script\", \"scrip\": 1}, {\"type\": \"script\"}]}";
    check_titles(
        &Case::legacy(text),
        &[
            "template.json 1:70-77 unknown configuration key: '\"scrip\"'",
            "template.json 1:92-100 Missing required argument",
        ],
    );
}

#[test]
fn all_problems_come_at_once_and_none_follows_from_another() {
    let text = "variable \"a\" {\n  type = strng\n}\nlocals {\n  b = [1\n  c = nope\n  d = local.b\n  e = local.f\n}\n\
                source \"machine\" \"m\" {\n  url = var.a\n  memroy = 5\n  disk {}\n}\nbuild {\n  sources = [\"machine.m\", \"machine.n\"]\n  \
                provisioner \"scrip\" {\n    script = \"x\"\n  }\n}\n";
    check_titles(
        &Case::hcl(text),
        &[
            "main.pkr.hcl 5:7-8 Unterminated tuple constructor expression",
            "main.pkr.hcl 2:10-15 Invalid type specification",
            "main.pkr.hcl 8:7-14 failed to prepare execution graph",
            "main.pkr.hcl 6:7-11 Unknown variable",
            "main.pkr.hcl 17:15-22 Unknown provisioner type \"scrip\"",
            "main.pkr.hcl 16:27-38 Unknown source machine.n",
            "main.pkr.hcl 12:3-9 Unsupported argument",
        ],
    );
}
