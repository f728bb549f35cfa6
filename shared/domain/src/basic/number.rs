//! Whole numbers that callers send, each within a range of its own.
//!
//! Invariant: a number that exists is within its range.

/// Why a number is refused. People read the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from {least} to {most}")]
pub struct NumberError {
    pub least: u64,
    pub most: u64,
}

/// Defines a newtype for a whole number within a range. Its doc comment is also its description in the API document.
macro_rules! number_type {
    (
        $(#[doc = $says:literal])+ $name:ident($number:ident),
        from $least:literal to $most:literal, example $example:literal
    ) => {
        $crate::basic::number::number_type!(
            $(#[doc = $says])+ $name($number), from $least to $most, stored to $most, example $example
        );
    };
    // A number that was stored before may be as large as `$stored`.
    (
        $(#[doc = $says:literal])+ $name:ident($number:ident),
        from $least:literal to $most:literal, stored to $stored:literal, example $example:literal
    ) => {
        #[cfg(feature = "schema")]
        $crate::value_schema!($name, concat!($($says),+), integer($least, $most), $example);

        $(#[doc = $says])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "u64", into = "u64")]
        pub struct $name($number);

        impl $name {
            pub const MAX: $number = $most;

            pub const fn get(self) -> $number {
                self.0
            }
        }

        impl TryFrom<u64> for $name {
            type Error = $crate::basic::number::NumberError;
            fn try_from(number: u64) -> Result<Self, Self::Error> {
                let error = Self::Error { least: $least, most: $most };
                let most = if $crate::basic::stored::is_stored() { $stored } else { $most };
                let number = if ($least..=most).contains(&number) { number } else { return Err(error) };
                number.try_into().map(Self).map_err(|_| error)
            }
        }

        impl From<$name> for u64 {
            fn from(number: $name) -> Self {
                number.0.into()
            }
        }
    };
}
pub(crate) use number_type;
