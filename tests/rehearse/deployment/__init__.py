"""Where the rehearsal happens: the emulated cloud, the template, and the stack that is deployed from it."""
