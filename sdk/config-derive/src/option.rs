//! What the attributes of one field say.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Field, Ident, Lit, LitStr, Token, Type, UnOp};

/// What a field stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One option.
    Attribute,
    /// A nested block, at most once.
    Block,
    /// A nested block, any number of times.
    Blocks,
    /// Options of another struct.
    Flatten,
    /// Every option that is not named.
    Rest,
}

/// A field of a configuration.
pub(crate) struct FieldOption {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    pub(crate) sensitive: bool,
    pub(crate) late: bool,
    pub(crate) default: Option<Expr>,
    pub(crate) deprecated: String,
    pub(crate) choices: Vec<String>,
}

impl FieldOption {
    /// Reads the attributes of `field`.
    pub(crate) fn of(field: &Field) -> syn::Result<Self> {
        let ident = field.ident.clone().ok_or_else(|| {
            syn::Error::new_spanned(field, "a configuration needs fields with names")
        })?;
        let name = ident.to_string();
        let mut option = Self {
            name: name.strip_prefix("r#").unwrap_or(&name).to_owned(),
            ty: field.ty.clone(),
            doc: doc(&field.attrs),
            shape: Shape::Attribute,
            required: false,
            sensitive: false,
            late: false,
            default: None,
            deprecated: String::new(),
            choices: Vec::new(),
            ident,
        };
        for attribute in field.attrs.iter().filter(|it| it.path().is_ident("config")) {
            attribute.parse_nested_meta(|meta| option.apply(&meta))?;
        }
        option.checked()
    }

    fn apply(&mut self, meta: &syn::meta::ParseNestedMeta<'_>) -> syn::Result<()> {
        let key = meta.path.require_ident()?.to_string();
        match key.as_str() {
            "required" => self.required = true,
            "sensitive" => self.sensitive = true,
            "late" => self.late = true,
            "flatten" => self.shape = Shape::Flatten,
            "block" => self.shape = Shape::Block,
            "blocks" => self.shape = Shape::Blocks,
            "rest" => self.shape = Shape::Rest,
            "default" => self.default = Some(meta.value()?.parse()?),
            "name" => self.name = meta.value()?.parse::<LitStr>()?.value(),
            "deprecated" => self.deprecated = meta.value()?.parse::<LitStr>()?.value(),
            "choices" => {
                let words;
                syn::parenthesized!(words in meta.input);
                let words = Punctuated::<LitStr, Token![,]>::parse_terminated(&words)?;
                self.choices = words.iter().map(LitStr::value).collect();
            }
            _ => return Err(meta.error(format!("`{key}` is not an attribute of options"))),
        }
        Ok(())
    }

    /// Refuses what contradicts itself and what nobody could look up.
    fn checked(self) -> syn::Result<Self> {
        let problem = if self.required && self.default.is_some() {
            "a required option cannot have a default"
        } else if self.shape != Shape::Attribute && self.default.is_some() {
            "only a plain option can have a default; give the fields of the block defaults"
        } else if self.doc.is_empty() && !matches!(self.shape, Shape::Flatten | Shape::Rest) {
            "an option needs a doc comment: it becomes the reference documentation"
        } else {
            return Ok(self);
        };
        Err(syn::Error::new_spanned(&self.ident, problem))
    }

    /// The default as documentation shows it.
    pub(crate) fn default_text(&self) -> String {
        match &self.default {
            Some(Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            })) => text.value(),
            Some(expression) => expression.to_token_stream().to_string().replace(" ,", ","),
            None => String::new(),
        }
    }

    /// The default as an expression of the field's type.
    pub(crate) fn default_value(&self, root: &TokenStream) -> Option<TokenStream> {
        let expression = self.default.as_ref()?;
        let (name, ty) = (&self.name, &self.ty);
        Some(match literal(expression, root) {
            Some(value) => quote!(#root::Decoder::literal::<#ty>(#name, &#value)),
            None => quote!(#expression),
        })
    }
}

/// A `Value` for a literal or a list of them; `None` for any other expression.
fn literal(expression: &Expr, root: &TokenStream) -> Option<TokenStream> {
    match expression {
        Expr::Lit(ExprLit { lit, .. }) => match lit {
            Lit::Str(text) => Some(quote!(#root::Value::from(#text))),
            Lit::Bool(value) => Some(quote!(#root::Value::from(#value))),
            Lit::Int(number) => Some(number_value(number.base10_digits().to_owned(), root)),
            Lit::Float(number) => Some(number_value(number.base10_digits().to_owned(), root)),
            _ => None,
        },
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => match unary.expr.as_ref() {
            Expr::Lit(ExprLit {
                lit: Lit::Int(number),
                ..
            }) => Some(number_value(format!("-{}", number.base10_digits()), root)),
            Expr::Lit(ExprLit {
                lit: Lit::Float(number),
                ..
            }) => Some(number_value(format!("-{}", number.base10_digits()), root)),
            _ => None,
        },
        Expr::Array(array) => {
            let items: Option<Vec<TokenStream>> =
                array.elems.iter().map(|item| literal(item, root)).collect();
            items.map(|items| quote!(#root::Value::from(::std::vec![#(#items),*])))
        }
        _ => None,
    }
}

fn number_value(text: String, root: &TokenStream) -> TokenStream {
    quote!(#root::Value::new(#root::ValueKind::Number(#text.to_owned())))
}

/// The doc comment in `attributes`: lines without their first space, blank lines between
/// paragraphs.
pub(crate) fn doc(attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
        .filter_map(
            |attribute| match &attribute.meta.require_name_value().ok()?.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
        )
        .map(|line| {
            line.strip_prefix(' ')
                .unwrap_or(&line)
                .trim_end()
                .to_owned()
        })
        .collect();
    lines.join("\n").trim().to_owned()
}
