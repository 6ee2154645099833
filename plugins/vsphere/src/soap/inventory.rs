//! Finding things.

use roxmltree::Node;

use super::envelope::{Argument, Reference, child, child_text, escaped};
use super::error::SoapError;
use super::session::Session;

/// Folders are not searched deeper than this.
const DEEPEST: usize = 16;

impl Session {
    /// The object at a path of names from the root; `None` when there is none.
    pub(crate) async fn find(&self, path: &str) -> Result<Option<Reference>, SoapError> {
        let arguments = [("inventoryPath", Argument::Text(path.to_owned()))];
        let search = &self.root.search;
        let find = self.call(search, "FindByInventoryPath", &arguments, |answer| {
            child(answer, "returnval").and_then(Reference::of)
        });
        find.await
    }

    /// Reads a property and hands it to `take`; `None` when it is not set.
    pub(crate) async fn property<T>(
        &self,
        object: &Reference,
        name: &str,
        take: impl FnOnce(Node<'_, '_>) -> T,
    ) -> Result<Option<T>, SoapError> {
        let set = format!(
            "<propSet><type>{}</type><pathSet>{}</pathSet></propSet>\
             <objectSet><obj type=\"{}\">{}</obj></objectSet>",
            escaped(&object.kind),
            escaped(name),
            escaped(&object.kind),
            escaped(&object.id)
        );
        let collector = &self.root.properties;
        let arguments = [("specSet", Argument::Xml(set))];
        let read = self.call(collector, "RetrieveProperties", &arguments, |answer| {
            let set = child(child(answer, "returnval")?, "propSet")?;
            child(set, "val").map(take)
        });
        read.await
    }

    /// A property that is text; empty when it is not set.
    pub(crate) async fn text(&self, object: &Reference, name: &str) -> Result<String, SoapError> {
        let read = |value: Node<'_, '_>| value.text().unwrap_or_default().trim().to_owned();
        Ok(self.property(object, name, read).await?.unwrap_or_default())
    }

    /// A property that is a list of objects.
    pub(crate) async fn objects(
        &self,
        object: &Reference,
        name: &str,
    ) -> Result<Vec<Reference>, SoapError> {
        let read = |value: Node<'_, '_>| {
            let items = value.children().filter(Node::is_element);
            items.filter_map(Reference::of).collect()
        };
        Ok(self.property(object, name, read).await?.unwrap_or_default())
    }

    /// The path of a datacenter: the one of that name or path, or the only one.
    pub(crate) async fn datacenter(&self, wanted: &str) -> Result<String, SoapError> {
        let wanted = wanted.trim_matches('/');
        let all = self.datacenters().await?;
        let fits = |path: &&String| {
            wanted.is_empty() || *path == wanted || path.rsplit('/').next() == Some(wanted)
        };
        let found: Vec<&String> = all.iter().filter(fits).collect();
        match found.as_slice() {
            [one] => Ok((*one).clone()),
            [] => Err(SoapError::Missing {
                what: "datacenter",
                path: wanted.to_owned(),
            }),
            several => Err(SoapError::Ambiguous {
                count: several.len(),
                names: all.join(", "),
            }),
        }
    }

    /// The paths of all datacenters.
    async fn datacenters(&self) -> Result<Vec<String>, SoapError> {
        let mut found = Vec::new();
        let mut folders = vec![(self.root.folder.clone(), String::new())];
        for _ in 0..DEEPEST {
            let mut deeper = Vec::new();
            for (folder, path) in folders {
                for object in self.objects(&folder, "childEntity").await? {
                    let name = self.text(&object, "name").await?;
                    let path = [path.as_str(), &name].join("/");
                    let path = path.trim_start_matches('/').to_owned();
                    match object.kind.as_str() {
                        "Datacenter" => found.push(path),
                        "Folder" => deeper.push((object, path)),
                        _ => {}
                    }
                }
            }
            folders = deeper;
        }
        Ok(found)
    }

    /// The datastore of a cluster of datastores that has the most room.
    pub(crate) async fn roomiest(&self, path: &str) -> Result<String, SoapError> {
        let missing = |what| SoapError::Missing {
            what,
            path: path.to_owned(),
        };
        let pod = self.find(path).await?;
        let pod = pod.filter(|object| object.kind == "StoragePod");
        let pod = pod.ok_or_else(|| missing("datastore cluster"))?;
        let mut best: Option<(u64, String)> = None;
        for store in self.objects(&pod, "childEntity").await? {
            let read = |summary: Node<'_, '_>| {
                let usable = child_text(summary, "accessible") == "true"
                    && matches!(
                        child_text(summary, "maintenanceMode").as_str(),
                        "" | "normal"
                    );
                let free = child_text(summary, "freeSpace").parse().unwrap_or(0);
                usable.then(|| (free, child_text(summary, "name")))
            };
            let summary = self.property(&store, "summary", read).await?.flatten();
            if let Some(summary) = summary
                && best.as_ref().is_none_or(|(free, _)| summary.0 > *free)
            {
                best = Some(summary);
            }
        }
        best.map(|(_, name)| name)
            .ok_or_else(|| missing("usable datastore in"))
    }
}
