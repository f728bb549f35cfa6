"""Where the rehearsal takes place: the emulated cloud, the template, and the stack that is deployed from it."""
