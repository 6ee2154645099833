//! Removing what plugins left behind.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use plugin_wire::v1 as wire;

use crate::convert::resource_to_wire;
use crate::error::ClientError;
use crate::journal::{Entry, Journal, Owned, Owner, Resource};
use crate::private_folder::LockedFolder;
use crate::process::{Client, Process};
use crate::registry::Registry;
use crate::run_directory::{DeadRun, RunDirectory};

/// How long a plugin may take to remove what one run left; machines in a cloud are slow to go.
const RECLAIM_LIMIT: Duration = Duration::from_secs(600);

/// Something a dead run or plugin left behind, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The plugin that made it.
    pub plugin: String,
    /// What it is, for example `process` or `directory`.
    pub kind: String,
    /// Which one.
    pub id: String,
    /// Why it is still there; `None` when it is gone.
    pub error: Option<String>,
}

/// Removes what dead runs left behind, and their folders. Runs that are alive are not touched, nor
/// are the folders of runs that were kept.
pub async fn reclaim_leftovers(
    registry: &Registry,
    directory: &Arc<RunDirectory>,
) -> Vec<Leftover> {
    let Some(run_folder) = directory.path().parent() else {
        return Vec::new();
    };
    LockedFolder::remove_dead(directory.socket_parent());
    let mut all = Vec::new();
    for dead in DeadRun::all(run_folder) {
        let run = dead.id();
        let journal = match dead.journal() {
            Ok(journal) => journal,
            Err(error) => {
                tracing::warn!(run, %error, "cannot read the journal of a dead run");
                continue;
            }
        };
        all.extend(reclaim_entries(registry, directory, &journal).await);
        if journal.unreleased().is_empty()
            && let Err(error) = dead.clear()
        {
            tracing::warn!(run, %error, "cannot clear the folder of a dead run");
        }
    }
    all
}

/// Removes everything on record in `journal`, plugin by plugin.
pub(crate) async fn reclaim_entries(
    registry: &Registry,
    directory: &Arc<RunDirectory>,
    journal: &Journal,
) -> Vec<Leftover> {
    let mut by_owner: BTreeMap<Owner, Vec<Entry>> = BTreeMap::new();
    for entry in journal.unreleased() {
        by_owner.entry(entry.owner.clone()).or_default().push(entry);
    }
    let mut all = Vec::new();
    for (owner, entries) in by_owner {
        let owner = present(registry, owner);
        all.extend(reclaim_launched(directory, journal, &owner, entries).await);
    }
    all
}

/// The plugin, or the installed one of the same name when its executable is gone.
fn present(registry: &Registry, owner: Owner) -> Owner {
    if owner.is_present() {
        return owner;
    }
    let same = registry
        .usable
        .iter()
        .map(|one| one.owner())
        .find(|one| one.name == owner.name);
    same.unwrap_or(owner)
}

/// Has a dead plugin's leftovers removed by a new process of it.
pub(crate) async fn reclaim_by_launch(
    directory: &Arc<RunDirectory>,
    owner: &Owner,
    entries: Vec<Entry>,
) -> Vec<Leftover> {
    reclaim_launched(directory, directory.journal(), owner, entries).await
}

async fn reclaim_launched(
    directory: &Arc<RunDirectory>,
    journal: &Journal,
    owner: &Owner,
    entries: Vec<Entry>,
) -> Vec<Leftover> {
    let started = match directory.private_folder() {
        Ok(folder) => Process::start(owner.clone(), folder.for_reclaiming()).await,
        Err(error) => Err(error),
    };
    match started {
        Ok(process) => {
            let leftovers = reclaim_with(&process, journal, entries).await;
            process.stop().await;
            leftovers
        }
        Err(error) => all_failed(&entries, &error),
    }
}

/// Has `process` remove what is on record as `entries`, newest first.
pub(crate) async fn reclaim_with(
    process: &Process,
    journal: &Journal,
    entries: Vec<Entry>,
) -> Vec<Leftover> {
    let resources = entries.iter().rev();
    let resources = resources.map(|entry| (entry.number, &entry.resource));
    let errors = match ask(process, "remove what was left behind", resources).await {
        Ok(errors) => errors,
        Err(error) => return all_failed(&entries, &error),
    };
    let mut leftovers = Vec::new();
    for entry in entries.iter().rev() {
        let error = match problem(&errors, entry.number) {
            None => journal
                .release(entry.number)
                .await
                .err()
                .map(|error| error.report()),
            error => error,
        };
        leftovers.push(leftover(entry, error));
    }
    leftovers
}

/// Has `process` remove resources, in this order; what it says of each by its number.
async fn ask(
    process: &Process,
    doing: &str,
    resources: impl Iterator<Item = (u64, &Resource)>,
) -> Result<BTreeMap<u64, String>, ClientError> {
    let request = wire::ReclaimRequest {
        resources: resources
            .map(|(number, resource)| resource_to_wire(number, resource))
            .collect(),
    };
    let call = |mut client: Client| async move { client.reclaim(request).await };
    let answer = process.call(doing, RECLAIM_LIMIT, call).await?;
    let results = answer.results.into_iter();
    Ok(results
        .map(|result| (result.number, result.error))
        .collect())
}

/// Why a resource is still there; `None` when it is gone.
fn problem(answers: &BTreeMap<u64, String>, number: u64) -> Option<String> {
    match answers.get(&number).map(String::as_str) {
        Some("") => None,
        Some(error) => Some(error.to_owned()),
        None => Some("the plugin did not say what became of it".to_owned()),
    }
}

/// Has plugins remove parts of an artifact that they made. Gives the errors, one for each part that
/// is still there.
pub async fn destroy_parts(directory: &Arc<RunDirectory>, parts: &[Owned]) -> Vec<String> {
    let mut by_owner: BTreeMap<&Owner, Vec<(u64, &Resource)>> = BTreeMap::new();
    for (number, part) in (1..).zip(parts) {
        let theirs = by_owner.entry(&part.owner).or_default();
        theirs.push((number, &part.resource));
    }
    let mut errors = Vec::new();
    for (owner, resources) in by_owner {
        let answers = destroyed(directory, owner, &resources).await;
        errors.extend(resources.iter().filter_map(|(number, resource)| {
            let why = match &answers {
                Ok(answers) => problem(answers, *number)?,
                Err(error) => error.report(),
            };
            Some(format!(
                "cannot remove {} `{}`: {why}",
                resource.kind, resource.id
            ))
        }));
    }
    errors
}

/// The process is one that works for a build, no reclaimer: an artifact may be made of what its
/// plugin could remove itself, and of no more.
async fn destroyed(
    directory: &Arc<RunDirectory>,
    owner: &Owner,
    resources: &[(u64, &Resource)],
) -> Result<BTreeMap<u64, String>, ClientError> {
    let process = Process::start(owner.clone(), directory.private_folder()?).await?;
    let answers = ask(&process, "destroy an artifact", resources.iter().copied()).await;
    process.stop().await;
    answers
}

fn all_failed(entries: &[Entry], error: &ClientError) -> Vec<Leftover> {
    let report = error.report();
    entries
        .iter()
        .rev()
        .map(|entry| leftover(entry, Some(report.clone())))
        .collect()
}

fn leftover(entry: &Entry, error: Option<String>) -> Leftover {
    let (plugin, kind) = (&entry.owner.name, &entry.resource.kind);
    let id = &entry.resource.id;
    match &error {
        None => tracing::info!(plugin, kind, id, "leftover removed"),
        Some(error) => tracing::warn!(plugin, kind, id, error, "leftover cannot be removed"),
    }
    Leftover {
        plugin: plugin.clone(),
        kind: kind.clone(),
        id: id.clone(),
        error,
    }
}
