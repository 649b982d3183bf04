"""From evidence to a cited answer: settings, the assistant, its command line, its API, its evaluation."""
