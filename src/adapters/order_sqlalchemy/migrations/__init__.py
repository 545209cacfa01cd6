"""The steps from each schema to the next. A step that was released is never changed."""
