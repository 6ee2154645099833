use super::{check_configurations, check_problems, names};
use crate::testing::Case;

#[test]
fn component_blocks_are_made_from_collections() {
    check_configurations(
        "locals { sizes = [1, 2] }\nsource \"machine\" \"a\" {\n  dynamic \"disk\" {\n    for_each = local.sizes\n    \
         content {\n      size = disk.value\n      format = \"f${disk.key}\"\n    }\n  }\n}\nbuild { sources = [\"machine.a\"] }",
        &["{disk = [{format = \"f0\", size = 1}, {format = \"f1\", size = 2}]}"],
    );
}

#[test]
fn provisioners_and_their_iterators_nest() {
    check_configurations(
        "source \"null\" \"a\" {}\nbuild {\n  sources = [\"null.a\"]\n  dynamic \"provisioner\" {\n    \
         for_each = { x = \"1\", y = \"2\" }\n    iterator = step\n    labels = [\"script\"]\n    content {\n      \
         script = \"${step.key}${step.value}\"\n    }\n  }\n}",
        &["{}", "{script = \"x1\"}", "{script = \"y2\"}"],
    );
    check_configurations(
        "source \"null\" \"a\" {}\nbuild {\n  sources = [\"null.a\"]\n  dynamic \"post-processors\" {\n    \
         for_each = [\"a\", \"b\"]\n    content {\n      dynamic \"post-processor\" {\n        for_each = [1]\n        \
         labels = [\"pack\"]\n        iterator = inner\n        content {\n          output = \"${post-processors.value}${inner.value}\"\n        }\n      }\n    }\n  }\n}",
        &["{}", "{output = \"a1\"}", "{output = \"b1\"}"],
    );
}

#[test]
fn sources_and_builds_can_be_dynamic() {
    let outcome = Case::hcl(
        "dynamic \"source\" {\n  for_each = [\"a\", \"b\"]\n  labels = [\"null\", source.value]\n  content {}\n}\n\
         build {\n  dynamic \"source\" {\n    for_each = [\"a\", \"b\"]\n    labels = [\"null.${source.value}\"]\n    content {}\n  }\n}",
    )
    .run();
    assert_eq!(outcome.problems, [""; 0], "{:?}", outcome.details);
    assert_eq!(names(&outcome.builds), ["null.a", "null.b"]);
}

#[test]
fn collections_that_are_not_known_yet_make_one_block() {
    let text = "data \"echo\" \"d\" { text = \"x\" }\nsource \"machine\" \"a\" {\n  dynamic \"disk\" {\n    \
                for_each = split(\",\", data.echo.d.result)\n    content { size = disk.value }\n  }\n}\nbuild { sources = [\"machine.a\"] }";
    let outcome = Case::hcl(text).without_data().run();
    assert_eq!(outcome.problems, [""; 0], "{:?}", outcome.details);
    assert_eq!(
        super::configurations(&outcome.builds),
        ["{disk = [{size = 0}]}"]
    );
}

fn check_dynamic(dynamic: &str, expected: &str) {
    let text = format!(
        "source \"machine\" \"a\" {{\n{dynamic}\n}}\nbuild {{ sources = [\"machine.a\"] }}"
    );
    check_problems(&text, &[&format!("error main.pkr.hcl:{expected}")]);
}

#[test]
fn mistakes_are_explained() {
    check_dynamic(
        "dynamic \"dsk\" {\n  for_each = []\n  content {}\n}",
        "2: Unsupported block type",
    );
    check_dynamic(
        "dynamic \"disk\" {\n  for_each = null\n  content {}\n}",
        "3: Invalid dynamic for_each value",
    );
    check_dynamic(
        "dynamic \"disk\" {\n  for_each = 1\n  content {}\n}",
        "3: Invalid dynamic for_each value",
    );
    check_dynamic(
        "dynamic \"disk\" {\n  for_each = [1]\n}",
        "2: Missing dynamic content block",
    );
    check_dynamic(
        "dynamic \"disk\" {\n  for_each = [1]\n  labels = [\"x\"]\n  content { size = 1 }\n}",
        "2: Invalid dynamic block labels",
    );
    check_dynamic(
        "dynamic \"disk\" {\n  for_each = [source.name]\n  content { size = 1 }\n}",
        "3: Unknown variable",
    );
    check_dynamic(
        "dynamic \"disk\" {\n  for_each = setproduct(range(101), range(100))\n  content { size = 1 }\n}",
        "2: Too many dynamic blocks",
    );
}

#[test]
fn nested_dynamic_blocks_multiply() {
    let nested = |count| {
        format!(
            "source \"null\" \"a\" {{}}\nbuild {{\n  sources = [\"null.a\"]\n  dynamic \"post-processors\" {{\n    \
             for_each = range({count})\n    content {{\n      dynamic \"post-processor\" {{\n        \
             for_each = range(100)\n        labels = [\"keep\"]\n        content {{}}\n      }}\n    }}\n  }}\n}}"
        )
    };
    check_problems(
        &nested(101),
        &["error main.pkr.hcl:7: Too many dynamic blocks"],
    );
}

#[test]
fn declarations_cannot_be_dynamic() {
    check_problems(
        "dynamic \"variable\" {\n  for_each = []\n  labels = [\"x\"]\n  content {}\n}\nsource \"null\" \"a\" {}\nbuild { sources = [\"null.a\"] }",
        &["error main.pkr.hcl:1: Unsupported block type"],
    );
    check_problems(
        "data \"echo\" \"d\" {\n  dynamic \"x\" {\n    for_each = []\n    content {}\n  }\n  text = \"\"\n}\nsource \"null\" \"a\" {}\nbuild { sources = [\"null.a\"] }",
        &["error main.pkr.hcl:2: Unsupported block type"],
    );
}
