"""What nobody calls: workers that events, the stream and schedules start, and the end of the walk."""
