//! The implementation of `Config` for one struct.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields, Ident, Type};

use crate::option::{FieldOption, Shape, doc};

/// Writes `impl Config`.
pub(crate) fn config(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(syn::Error::new_spanned(
            input,
            "`Config` can be derived for structs only",
        ));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(syn::Error::new_spanned(
            input,
            "a configuration needs fields with names",
        ));
    };
    let root = root()?;
    let mut options = fields
        .named
        .iter()
        .map(FieldOption::of)
        .collect::<syn::Result<Vec<FieldOption>>>()?;
    check_names(&options)?;
    // Whatever is left over can only be known when everything else has been taken.
    options.sort_by_key(|option| option.shape == Shape::Rest);

    let doc = doc(&input.attrs);
    let describe = options.iter().map(|option| describe(option, &root));
    let take = options.iter().map(|option| take(option, &root));
    let fields = options.iter().map(|option| &option.ident);
    let values = options.iter().map(|option| variable(&option.ident));
    let (name, generics) = (&input.ident, &input.generics);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #root::Config for #name #ty_generics #where_clause {
            fn schema() -> #root::Schema {
                let mut schema =
                    #root::Schema { doc: #doc.to_owned(), ..::core::default::Default::default() };
                #(#describe)*
                schema
            }

            fn take(decoder: &mut #root::Decoder<'_>) -> ::core::option::Option<Self> {
                // Everything is taken before anything is judged, so that every problem is found.
                #(#take)*
                ::core::option::Option::Some(Self { #(#fields: #values?),* })
            }
        }
    })
}

/// The crate that holds the traits, by the name the deriving crate knows it by.
fn root() -> syn::Result<TokenStream> {
    if let Ok(found) = crate_name("sdk-config") {
        return Ok(match found {
            FoundCrate::Itself => quote!(::sdk_config),
            FoundCrate::Name(name) => {
                let name = Ident::new(&name, Span::call_site());
                quote!(::#name)
            }
        });
    }
    match crate_name("kiln-sdk") {
        Ok(FoundCrate::Itself) => Ok(quote!(::kiln_sdk::config)),
        Ok(FoundCrate::Name(name)) => {
            let name = Ident::new(&name, Span::call_site());
            Ok(quote!(::#name::config))
        }
        Err(_) => Err(syn::Error::new(
            Span::call_site(),
            "`#[derive(Config)]` needs a dependency on `kiln-sdk`",
        )),
    }
}

fn check_names(options: &[FieldOption]) -> syn::Result<()> {
    for (index, option) in options.iter().enumerate() {
        let named = |it: &FieldOption| !matches!(it.shape, Shape::Flatten | Shape::Rest);
        let twice = options[..index]
            .iter()
            .any(|it| named(it) && it.name == option.name);
        if named(option) && twice {
            let problem = format!("two options are named `{}`", option.name);
            return Err(syn::Error::new_spanned(&option.ident, problem));
        }
    }
    Ok(())
}

/// Statements that add the field to `schema`.
fn describe(option: &FieldOption, root: &TokenStream) -> TokenStream {
    let FieldOption {
        ty,
        name,
        doc,
        required,
        sensitive,
        late,
        deprecated,
        choices,
        ..
    } = option;
    match option.shape {
        Shape::Attribute => {
            let default_text = option.default_text();
            quote! {
                schema.attributes.push(#root::AttributeSchema {
                    name: #name.to_owned(),
                    ty: <#ty as #root::Field>::ty(),
                    required: #required,
                    sensitive: #sensitive || <#ty as #root::Field>::SENSITIVE,
                    late: #late || <#ty as #root::Field>::LATE,
                    doc: #doc.to_owned(),
                    default_text: #default_text.to_owned(),
                    deprecated: #deprecated.to_owned(),
                    choices: ::std::vec![#(#choices.to_owned()),*],
                });
            }
        }
        Shape::Block | Shape::Blocks => {
            let repeated = option.shape == Shape::Blocks;
            let body = inner(ty).unwrap_or(ty);
            quote! {
                schema.blocks.push(#root::BlockSchema {
                    name: #name.to_owned(),
                    schema: <#body as #root::Config>::schema(),
                    repeated: #repeated,
                    required: #required,
                    doc: #doc.to_owned(),
                });
            }
        }
        Shape::Flatten => quote! {
            let joined = <#ty as #root::Config>::schema();
            schema.attributes.extend(joined.attributes);
            schema.blocks.extend(joined.blocks);
            schema.open |= joined.open;
        },
        Shape::Rest => quote!(schema.open = true;),
    }
}

/// Statements that take the field out of `decoder` into a variable: `None` when it is unusable.
fn take(option: &FieldOption, root: &TokenStream) -> TokenStream {
    let FieldOption {
        ty,
        name,
        choices,
        required,
        ..
    } = option;
    let variable = variable(&option.ident);
    let restrict = (!choices.is_empty()).then(|| quote!(decoder.choices(#name, &[#(#choices),*]);));
    let value = match option.shape {
        Shape::Attribute => match option.default_value(root) {
            Some(default) => quote!(decoder.defaulted::<#ty>(#name, || #default)),
            None if *required => quote!(decoder.required::<#ty>(#name)),
            None => quote! {
                decoder.optional::<#ty>(#name).map(::core::option::Option::unwrap_or_default)
            },
        },
        Shape::Block => match (inner(ty), required) {
            (Some(body), false) => quote!(decoder.block::<#body>(#name)),
            (Some(body), true) => {
                quote!(decoder.required_block::<#body>(#name).map(::core::option::Option::Some))
            }
            (None, false) => quote!(decoder.defaulted_block::<#ty>(#name)),
            (None, true) => quote!(decoder.required_block::<#ty>(#name)),
        },
        Shape::Blocks => {
            let body = inner(ty).unwrap_or(ty);
            if *required {
                quote!(decoder.required_blocks::<#body>(#name))
            } else {
                quote!(decoder.blocks::<#body>(#name))
            }
        }
        Shape::Flatten => quote!(<#ty as #root::Config>::take(decoder)),
        Shape::Rest => quote!(::core::option::Option::Some(decoder.rest())),
    };
    quote! {
        #restrict
        let #variable = #value;
    }
}

fn variable(ident: &Ident) -> Ident {
    format_ident!("taken_{ident}")
}

/// `C` of `Option<C>` and `Vec<C>`.
fn inner(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    if last.ident != "Option" && last.ident != "Vec" {
        return None;
    }
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}
