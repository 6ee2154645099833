//! Types and values of streams.

use std::borrow::Cow;
use std::collections::HashMap;

/// The number of a type in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeId(pub i64);

impl TypeId {
    /// True or false.
    pub const BOOL: Self = Self(1);
    /// A signed number.
    pub const INT: Self = Self(2);
    /// An unsigned number.
    pub const UINT: Self = Self(3);
    /// A floating-point number.
    pub const FLOAT: Self = Self(4);
    /// Bytes.
    pub const BYTES: Self = Self(5);
    /// Text.
    pub const STRING: Self = Self(6);
    /// Any registered type.
    pub const INTERFACE: Self = Self(8);
    /// The first number that a stream gives to a type of its own.
    pub(super) const FIRST: i64 = 65;
}

/// A type that a stream defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Definition<'a> {
    /// A fixed or varying count of elements.
    List(TypeId),
    /// Named fields in order.
    Struct(Vec<(&'a str, TypeId)>),
    /// Keys and values.
    Map(TypeId, TypeId),
    /// Bytes that the type itself makes sense of.
    Opaque,
}

/// A value of a stream; texts and bytes are the stream's own.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// True or false.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// A floating-point number.
    Float(f64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Text.
    String(&'a str),
    /// Elements in order.
    List(Vec<Value<'a>>),
    /// Keys and values in the stream's order.
    Map(Vec<(Value<'a>, Value<'a>)>),
    /// The fields that are not zero, in order.
    Struct(Vec<(&'a str, Value<'a>)>),
    /// An interface that holds nothing.
    Nil,
    /// The registered name of a type and a value of it.
    Interface(&'a str, Box<Value<'a>>),
    /// What a type that encodes itself wrote.
    Opaque(Cow<'a, [u8]>),
}

impl<'a> Value<'a> {
    /// The field of a struct; `None` when it is zero or this is no struct.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Value<'a>> {
        match self {
            Self::Struct(fields) => fields
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }
}

/// The types of a stream that is written.
#[derive(Clone, Debug, Default)]
pub struct Types<'a> {
    pub(super) definitions: Vec<(&'a str, Definition<'a>)>,
    pub(super) registered: HashMap<&'a str, TypeId>,
}

impl<'a> Types<'a> {
    /// No types but the ones every stream has.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a type under Go's name for it, which is empty for some; the numbers count up from 65 in
    /// the order of the calls, so that a definition can name a later one.
    pub fn define(&mut self, name: &'a str, definition: Definition<'a>) -> TypeId {
        self.definitions.push((name, definition));
        Self::nth(self.definitions.len() - 1)
    }

    /// The number of the type that is defined as the `index`th, from zero.
    #[must_use]
    pub fn nth(index: usize) -> TypeId {
        TypeId(TypeId::FIRST.saturating_add_unsigned(index as u64))
    }

    /// Says which type an interface holds when it names `name`.
    pub fn register(&mut self, name: &'a str, id: TypeId) {
        self.registered.insert(name, id);
    }

    pub(super) fn get(&self, id: TypeId) -> Option<&Definition<'a>> {
        let index = usize::try_from(id.0.checked_sub(TypeId::FIRST)?).ok()?;
        self.definitions
            .get(index)
            .map(|(_, definition)| definition)
    }
}
