//! Declares environment variables as fields of a struct: the name, the default and the parser of each are written
//! once.

use std::fmt::Display;

pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct ConfigError {
    name: &'static str,
    problem: String,
}

type Read<T> = Box<dyn FnOnce(Lookup<'_>) -> Result<T, ConfigError>>;

/// How a field is read, from any number of environment variables.
pub(super) struct Variable<T> {
    pub(super) names: Vec<&'static str>,
    /// Reads the variables. The error is about the first one that is invalid.
    pub(super) read: Read<T>,
}

/// A struct that is read from several variables.
pub(super) trait Variables: Sized {
    fn group() -> Variable<Self>;
}

/// The variable `name`; `None` if it is unset or empty.
pub(super) fn optional<T: 'static>(
    name: &'static str,
    parse: impl FnOnce(&str) -> Result<T, String> + 'static,
) -> Variable<Option<T>> {
    let wrong = move |problem| ConfigError { name, problem };
    let read = move |lookup: Lookup<'_>| {
        let set = lookup(name).filter(|value| !value.is_empty());
        set.map(|value| parse(&value)).transpose().map_err(wrong)
    };
    Variable { names: vec![name], read: Box::new(read) }
}

/// The variable `name`, a list with commas between its values; without values if it is unset or empty.
pub(super) fn listed<T: 'static>(
    name: &'static str,
    parse: impl Fn(&str) -> Result<T, String> + 'static,
) -> Variable<Vec<T>> {
    let Variable { names, read } = optional(name, move |text| text.split(',').map(|it| parse(it.trim())).collect());
    Variable { names, read: Box::new(move |lookup| Ok(read(lookup)?.unwrap_or_default())) }
}

pub(super) fn required<T: 'static>(
    name: &'static str,
    parse: impl FnOnce(&str) -> Result<T, String> + 'static,
) -> Variable<T> {
    let Variable { names, read } = optional(name, parse);
    let missing = move || ConfigError { name, problem: "is not set".to_owned() };
    Variable { names, read: Box::new(move |lookup| read(lookup)?.ok_or_else(missing)) }
}

pub(super) fn usually<T: 'static>(
    name: &'static str,
    usual: impl Display,
    parse: impl FnOnce(&str) -> Result<T, String> + 'static,
) -> Variable<T> {
    let usual = usual.to_string();
    let Variable { names, read } = required(name, parse);
    let read = move |lookup: Lookup<'_>| {
        let value = lookup(name).filter(|value| !value.is_empty()).unwrap_or(usual);
        read(&|_| Some(value.clone()))
    };
    Variable { names, read: Box::new(read) }
}

/// A field that can't be configured.
pub(super) fn always<T: 'static>(value: T) -> Variable<T> {
    Variable { names: Vec::new(), read: Box::new(move |_| Ok(value)) }
}

/// Implements [`Variables`] for a struct, with one `Variable` for each field. With `pub struct`, it also defines the
/// struct.
macro_rules! variables {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$doc:meta])* $field:ident: $type:ty = $variable:expr,)*
        }
    ) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)*
        }
        variables! { $name { $($field = $variable,)* } }
    };
    ($name:ident { $($field:ident = $variable:expr,)* }) => {
        impl Variables for $name {
            fn group() -> Variable<Self> {
                $(let $field = $variable;)*
                let names = [$($field.names,)*].concat();
                Variable { names, read: Box::new(move |lookup| Ok(Self { $($field: ($field.read)(lookup)?,)* })) }
            }
        }
    };
}

pub(super) use variables;
