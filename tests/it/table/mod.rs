//! The table: what is stored stays readable, and no fault on the way to the table loses or doubles anything.

mod faults;
mod stored;
