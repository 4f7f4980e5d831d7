"""The API: the same data, actions, sides and sites as the pages, for programs of people who work in the trial."""
