use std::collections::BTreeMap;
use std::sync::Mutex;

use host_eval::Value;

use super::*;

/// Follows a script such as `keep:a`: one word for each post-processor by place.
///
/// The word before the colon says what the post-processor wants for its input (`keep`, `drop`,
/// `force`), the one after it names the artifact it makes (`-` for none). `fail` fails, `stop`
/// cancels the run.
struct Script {
    words: BTreeMap<Place, &'static str>,
    destroyed: Mutex<Vec<String>>,
    cancel: CancellationToken,
}

fn artifact(name: &str) -> Artifact {
    Artifact {
        builder_id: String::new(),
        id: name.to_owned(),
        files: Vec::new(),
        description: String::new(),
        state: Value::object(BTreeMap::new()),
        destroy: Vec::new(),
        resources: Vec::new(),
    }
}

impl Workshop for Script {
    fn process<'s>(
        &'s self,
        place: Place,
        _input: &'s Artifact,
    ) -> BoxFuture<'s, Result<Success, Failure>> {
        let result = match self.words[&place].split_once(':') {
            Some((wish, made)) => Ok(Success {
                artifact: (made != "-").then(|| artifact(made)),
                keep_input: wish != "drop",
                force_keep_input: wish == "force",
            }),
            None if self.words[&place] == "stop" => {
                self.cancel.cancel();
                Err(Failure::cancelled())
            }
            None => Err(Failure::new(format!("{} {}", place.0, place.1))),
        };
        Box::pin(async move { result })
    }

    fn destroy<'s>(
        &'s self,
        artifact: &'s Artifact,
        _kept: Vec<PathBuf>,
    ) -> BoxFuture<'s, Result<(), String>> {
        self.destroyed.lock().unwrap().push(artifact.id.clone());
        Box::pin(async { Ok(()) })
    }
}

/// Runs chains on the artifact `o`. Chains are separated by `|`; a post-processor with `=yes` or
/// `=no` behind it has that as its `keep_input_artifact`. The result is `kept / destroyed`, or the
/// error.
async fn outcome(chains: &'static str) -> String {
    let mut words = BTreeMap::new();
    let mut links = Vec::new();
    for (number, chain) in chains
        .split('|')
        .filter(|text| !text.is_empty())
        .enumerate()
    {
        let mut row = Vec::new();
        for (index, text) in chain.split_whitespace().enumerate() {
            let (word, keep) = text
                .split_once('=')
                .map_or((text, None), |(w, k)| (w, Some(k)));
            words.insert((number, index), word);
            row.push(Link {
                type_name: "t".into(),
                keep_input: keep.map(|keep| keep == "yes"),
            });
        }
        links.push(row);
    }
    let cancel = CancellationToken::new();
    let script = Script {
        words,
        destroyed: Mutex::default(),
        cancel: cancel.clone(),
    };
    let result = run_chains(&links, artifact("o"), &script, &cancel).await;
    let destroyed = script.destroyed.into_inner().unwrap().join(" ");
    match result {
        Ok(kept) => {
            let ids: Vec<_> = kept.into_iter().flatten().map(|one| one.id).collect();
            format!("{} / {destroyed}", ids.join(" "))
        }
        Err(failure) => format!("{} / {destroyed}", failure.message),
    }
}

async fn check(chains: &'static str, expected: &str) {
    assert_eq!(outcome(chains).await, expected, "{chains}");
}

#[tokio::test]
async fn without_post_processors_the_original_stays() {
    check("", "o / ").await;
}

#[tokio::test]
async fn the_first_one_decides_about_the_original() {
    check("drop:a", "a / o").await;
    check("keep:a", "o a / ").await;
    check("drop:a=yes", "o a / ").await;
    check("keep:a=no", "a / o").await;
}

#[tokio::test]
async fn a_post_processor_can_insist() {
    check("force:a=no", "o a / ").await;
}

#[tokio::test]
async fn later_ones_decide_about_what_came_before() {
    check("drop:a drop:b", "b / a o").await;
    check("drop:a keep:b", "a b / o").await;
    check("keep:a drop:b=yes keep:c=no", "o a c / b").await;
}

#[tokio::test]
async fn one_chain_is_enough_to_keep_the_original() {
    check("drop:a|keep:b", "o a b / ").await;
    check("drop:a|drop:b", "a b / o").await;
}

#[tokio::test]
async fn no_artifact_ends_a_chain_quietly() {
    check("keep:- fail|drop:b", "b / o").await;
}

#[tokio::test]
async fn a_failure_ends_its_chain_only() {
    check(
        "drop:a fail drop:c|fail|keep:d",
        "2 error(s) occurred:\n\n* Post-processor failed: 0 1\n* Post-processor failed: 1 0 / ",
    )
    .await;
    check(
        "fail",
        "1 error(s) occurred:\n\n* Post-processor failed: 0 0 / o",
    )
    .await;
}

#[tokio::test]
async fn a_cancellation_destroys_nothing() {
    check("drop:a stop drop:c|drop:d", "context canceled / ").await;
}
