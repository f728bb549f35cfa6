//! The table: what is stored stays readable, what was deleted is gone, and no fault on the way to the table loses or
//! doubles anything.

mod erasure;
mod faults;
mod personal;
mod stored;
