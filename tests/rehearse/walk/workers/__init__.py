"""Workers, which events, the stream and schedules start, and the final checks of the walk."""
