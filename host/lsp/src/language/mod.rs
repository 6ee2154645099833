//! What the template language itself has: blocks, their arguments, names in expressions.

pub(crate) mod legacy;

/// A block, argument or name with a line about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// Type of an argument; the snippet behind its name for a block.
    pub(crate) form: &'static str,
    pub(crate) doc: &'static str,
}

const fn entry(name: &'static str, form: &'static str, doc: &'static str) -> Entry {
    Entry { name, form, doc }
}

/// Blocks of the top level, with what follows their name as a snippet.
pub(crate) const TOP_LEVEL: &[Entry] = &[
    entry(
        "packer",
        " {\n\trequired_version = \"${1:>= 1.7.0}\"\n\t$0\n}",
        "Versions and plugins that the template needs.",
    ),
    entry(
        "source",
        " \"${1:type}\" \"${2:name}\" {\n\t$0\n}",
        "A machine image to make: the type of its builder, a name, and the builder's options.",
    ),
    entry(
        "build",
        " {\n\tsources = [\"source.${1:type}.${2:name}\"]\n\t$0\n}",
        "What is done with sources: provisioners in order, then post-processors.",
    ),
    entry(
        "variable",
        " \"${1:name}\" {\n\ttype = ${2:string}\n\t$0\n}",
        "A value from outside: `-var`, `PKR_VAR_name`, a file of values, or its default.",
    ),
    entry(
        "variables",
        " {\n\t$0\n}",
        "Several variables as `name = default`.",
    ),
    entry(
        "locals",
        " {\n\t${1:name} = $0\n}",
        "Named values that are computed from others.",
    ),
    entry(
        "local",
        " \"${1:name}\" {\n\texpression = $0\n}",
        "One named value, which can be sensitive.",
    ),
    entry(
        "data",
        " \"${1:type}\" \"${2:name}\" {\n\t$0\n}",
        "Something that is looked up before the builds.",
    ),
    entry(
        "module",
        " \"${1:name}\" {\n\tsource = \"./${2:folder}\"\n\t$0\n}",
        "A folder of templates as a part of this one.",
    ),
    entry(
        "output",
        " \"${1:name}\" {\n\tvalue = $0\n}",
        "A value of this template for the one that calls it as a module.",
    ),
    entry(
        "dynamic",
        " \"${1:source}\" {\n\tfor_each = ${2:[]}\n\tlabels = [$3]\n\tcontent {\n\t\t$0\n\t}\n}",
        "A block for each element of a collection.",
    ),
    entry(
        "hcp_packer_registry",
        " {\n\t$0\n}",
        "Accepted and checked; there is no registry.",
    ),
];

/// Blocks in a build.
const BUILD_BLOCKS: &[Entry] = &[
    entry(
        "provisioner",
        " \"${1:shell}\" {\n\t$0\n}",
        "Changes the machine, in the order of the file.",
    ),
    entry(
        "post-processor",
        " \"${1:manifest}\" {\n\t$0\n}",
        "Works on the image when it is made.",
    ),
    entry(
        "post-processors",
        " {\n\tpost-processor \"${1:manifest}\" {\n\t\t$0\n\t}\n}",
        "A chain: each gets what the one before made.",
    ),
    entry(
        "error-cleanup-provisioner",
        " \"${1:shell}\" {\n\t$0\n}",
        "Runs in the machine when the build failed, before the machine goes.",
    ),
    entry(
        "source",
        " \"source.${1:type}.${2:name}\" {\n\t$0\n}",
        "A source with options of its own in this build.",
    ),
    entry(
        "dynamic",
        " \"${1:provisioner}\" {\n\tfor_each = ${2:[]}\n\tlabels = [\"$3\"]\n\tcontent {\n\t\t$0\n\t}\n}",
        "A block for each element of a collection.",
    ),
    entry(
        "hcp_packer_registry",
        " {\n\t$0\n}",
        "Accepted and checked; there is no registry.",
    ),
];

const BUILD: &[Entry] = &[
    entry(
        "sources",
        "list of string",
        "The sources to build: `source.TYPE.NAME`.",
    ),
    entry("name", "string", "Stands before the names of the builds."),
    entry("description", "string", "What it is for."),
];

pub(crate) const FILTER: [Entry; 2] = [
    entry(
        "only",
        "list of string",
        "Only for these sources: `TYPE.NAME`.",
    ),
    entry(
        "except",
        "list of string",
        "Not for these sources: `TYPE.NAME`.",
    ),
];

/// Arguments of every provisioner.
pub(crate) const PROVISIONER: &[Entry] = &[
    FILTER[0],
    FILTER[1],
    entry("name", "string", "A name for it."),
    entry(
        "override",
        "object",
        "Options for single sources, by the name of the source.",
    ),
    entry(
        "pause_before",
        "duration",
        "Wait so long before it, for example `10s`.",
    ),
    entry("timeout", "duration", "Give up on a try after so long."),
    entry("max_retries", "number", "Further tries after a failure."),
    entry(
        "continue_on_error",
        "bool",
        "Whether a failure is only a warning.",
    ),
];

/// Arguments of every post-processor.
pub(crate) const POST_PROCESSOR: &[Entry] = &[
    FILTER[0],
    FILTER[1],
    entry("name", "string", "A name for it, for `-except`."),
    entry(
        "keep_input_artifact",
        "bool",
        "Whether what it is made from stays.",
    ),
];

/// Arguments that repeat a block.
pub(crate) const INSTANCES: &[Entry] = &[
    entry(
        "for_each",
        "map or set",
        "One block for each element; `each.key` and `each.value` are the element's.",
    ),
    entry(
        "count",
        "number",
        "So many blocks; `count.index` counts them from 0.",
    ),
];

const VARIABLE: &[Entry] = &[
    entry(
        "type",
        "type",
        "What values are converted to: `string`, `number`, `bool`, `list(string)`, …",
    ),
    entry("default", "any", "The value unless another is given."),
    entry("description", "string", "What it is for."),
    entry(
        "sensitive",
        "bool",
        "Whether its value is kept out of every output.",
    ),
];

const LOCAL: &[Entry] = &[
    entry("expression", "any", "The value."),
    entry(
        "sensitive",
        "bool",
        "Whether its value is kept out of every output.",
    ),
];

const VALIDATION: &[Entry] = &[
    entry("condition", "bool", "What has to be true of the value."),
    entry("error_message", "string", "What is said when it is not."),
];

const OUTPUT: &[Entry] = &[
    entry("value", "any", "The value."),
    entry("description", "string", "What it is."),
    entry(
        "sensitive",
        "bool",
        "Whether its value is kept out of every output.",
    ),
];

const MODULE: &[Entry] = &[entry(
    "source",
    "string",
    "The folder: `./folder` or `../folder`.",
)];

const PACKER: &[Entry] = &[entry(
    "required_version",
    "string",
    "The versions that will do: `>= 1.7.0`.",
)];

const DYNAMIC: &[Entry] = &[
    entry(
        "for_each",
        "collection",
        "What there is a block for each element of.",
    ),
    entry(
        "iterator",
        "name",
        "The name of the element in the content; the kind of the block unless given.",
    ),
    entry("labels", "list of string", "Labels of the blocks."),
];

const REGISTRY: &[Entry] = &[
    entry("bucket_name", "string", "Name of the bucket."),
    entry("description", "string", "What it is."),
    entry("bucket_labels", "map of string", "Labels of the bucket."),
    entry("build_labels", "map of string", "Labels of each build."),
    entry("channels", "list of string", "Channels of the version."),
];

const NOTHING: &[Entry] = &[];
const VALIDATION_BLOCK: &[Entry] = &[entry(
    "validation",
    " {\n\tcondition = $1\n\terror_message = \"$0\"\n}",
    "What has to be true of the value.",
)];
const PLUGINS_BLOCK: &[Entry] = &[entry(
    "required_plugins",
    " {\n\t${1:name} = {\n\t\tversion = \"${2:>= 1.0.0}\"\n\t\tsource = \"${3:github.com/hashicorp/name}\"\n\t}\n}",
    "Plugins that the template needs.",
)];
const POST_PROCESSOR_BLOCK: &[Entry] = &[BUILD_BLOCKS[1]];
const CONTENT_BLOCK: &[Entry] = &[entry(
    "content",
    " {\n\t$0\n}",
    "What stands in each block.",
)];

/// Arguments and blocks of a block that is not a component's; `outer` is the kind of the block
/// around it, empty at the top level. `None` for blocks of components.
pub(crate) fn fixed(kind: &str, outer: &str) -> Option<(&'static [Entry], &'static [Entry])> {
    Some(match (kind, outer) {
        ("packer", "") => (PACKER, PLUGINS_BLOCK),
        ("build", "") => (BUILD, BUILD_BLOCKS),
        ("variable", "") => (VARIABLE, VALIDATION_BLOCK),
        ("validation", "variable") => (VALIDATION, NOTHING),
        ("local", "") => (LOCAL, NOTHING),
        ("output", "") => (OUTPUT, NOTHING),
        ("module", "") => (MODULE, NOTHING),
        ("variables" | "locals", "") | ("required_plugins", "packer") => (NOTHING, NOTHING),
        ("hcp_packer_registry", _) => (REGISTRY, NOTHING),
        ("post-processors", "build") => (NOTHING, POST_PROCESSOR_BLOCK),
        ("dynamic", _) => (DYNAMIC, CONTENT_BLOCK),
        _ => return None,
    })
}

/// Names at the start of an expression.
pub(crate) const ROOTS: &[Entry] = &[
    entry("var", "object", "The variables."),
    entry("local", "object", "The locals."),
    entry(
        "data",
        "object",
        "Results of data sources: `data.TYPE.NAME`.",
    ),
    entry("module", "object", "Outputs of modules: `module.NAME`."),
    entry("source", "object", "The source of this build."),
    entry("build", "object", "The machine of this build."),
    entry("path", "object", "Where the template and the process are."),
    entry("packer", "object", "What runs the template."),
    entry("each", "object", "The element, in a block with `for_each`."),
    entry("count", "object", "The position, in a block with `count`."),
];

/// What `root.` offers when that is always the same.
pub(crate) fn members(root: &str) -> &'static [Entry] {
    match root {
        "path" => PATH,
        "packer" => PACKER_VALUES,
        "source" => SOURCE_VALUES,
        "build" => BUILD_VALUES,
        "each" => EACH,
        "count" => COUNT,
        _ => NOTHING,
    }
}

const PATH: &[Entry] = &[
    entry(
        "root",
        "string",
        "The template's folder, as the user named it.",
    ),
    entry("cwd", "string", "The folder the command runs in."),
];

const PACKER_VALUES: &[Entry] = &[
    entry(
        "version",
        "string",
        "The version of Packer whose behaviour this is.",
    ),
    entry(
        "iterationID",
        "string",
        "Never known: there is no registry.",
    ),
    entry(
        "versionFingerprint",
        "string",
        "Never known: there is no registry.",
    ),
];

const SOURCE_VALUES: &[Entry] = &[
    entry("name", "string", "The source's name in this build."),
    entry("type", "string", "The builder's type."),
];

const BUILD_VALUES: &[Entry] = &[
    entry("name", "string", "The name of the build block."),
    entry(
        "ID",
        "string",
        "The machine's identity, as its builder has it.",
    ),
    entry("Host", "string", "Where the machine is reached."),
    entry("Port", "number", "The port it is reached at."),
    entry("User", "string", "Who connects."),
    entry("Password", "string", "The password for that."),
    entry(
        "ConnType",
        "string",
        "How it is reached: `ssh`, `winrm`, `none`.",
    ),
    entry("PackerRunUUID", "string", "The identity of this run."),
    entry(
        "PackerHTTPAddr",
        "string",
        "Address and port of the HTTP server for the machine.",
    ),
    entry(
        "PackerHTTPIP",
        "string",
        "Address of the HTTP server for the machine.",
    ),
    entry(
        "PackerHTTPPort",
        "string",
        "Port of the HTTP server for the machine.",
    ),
    entry(
        "SSHPublicKey",
        "string",
        "The public key for the connection.",
    ),
    entry(
        "SSHPrivateKey",
        "string",
        "The private key for the connection.",
    ),
    entry("WinRMPassword", "string", "The password for WinRM."),
];

const EACH: &[Entry] = &[
    entry("key", "string", "The element's key; of a set, the element."),
    entry("value", "any", "The element."),
];

const COUNT: &[Entry] = &[entry("index", "number", "The position, from 0.")];

/// Words for types of variables.
pub(crate) const TYPES: &[Entry] = &[
    entry("string", "type", "Text."),
    entry("number", "type", "A number."),
    entry("bool", "type", "True or false."),
    entry("any", "type", "Whatever is given."),
    entry("list", "(${1:string})", "Items of one type in order."),
    entry(
        "set",
        "(${1:string})",
        "Items of one type without order, each once.",
    ),
    entry("map", "(${1:string})", "Items of one type by name."),
    entry(
        "object",
        "({ ${1:name} = ${2:string} })",
        "Fixed names, each with its type.",
    ),
    entry(
        "tuple",
        "([${1:string}])",
        "Fixed items, each with its type.",
    ),
];
