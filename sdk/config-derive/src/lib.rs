//! The derive macro behind `sdk-config`.
//!
//! Here is `#[derive(Config)]` and nothing else: [`option`](mod@option) reads the attributes of one
//! field, [`expand`](mod@expand) writes the implementation. What options mean is in `sdk-config`.

mod expand;
mod option;

use proc_macro::TokenStream;

/// Derives `Config` for a struct with named fields: schema, decoding and reference docs.
///
/// Doc comments become reference docs, so every option needs one. An option that is not set is
/// `Default::default()` unless it says otherwise; an `Option` is `None` also when it is empty text or
/// an empty list. Attributes of a field, `#[config(…)]`:
///
/// | attribute | meaning |
/// |---|---|
/// | `default = 8000` | value when it is not set, or empty text or an empty list, which Packer takes for the same; a literal is converted as if a template had it |
/// | `required` | leaving it out is an error |
/// | `sensitive` | its value must stay out of every output |
/// | `late` | the component renders template calls in it by itself |
/// | `name = "type"` | name in templates, when it is not the field's |
/// | `deprecated = "use x"` | the host warns when it is set |
/// | `choices("raw", "qcow2")` | accepted words |
/// | `flatten` | the field is a `Config` whose options join these |
/// | `block` | the field is an `Option<C>` (or a `C` with defaults): a nested block |
/// | `blocks` | the field is a `Vec<C>`: a nested block that may be repeated |
/// | `rest` | the field is a `BTreeMap<String, Value>` that takes every option not named here |
#[proc_macro_derive(Config, attributes(config))]
pub fn derive_config(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    expand::config(&input)
        .unwrap_or_else(|problem| problem.to_compile_error())
        .into()
}
