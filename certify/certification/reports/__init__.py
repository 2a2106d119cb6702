"""The survey report: drafted from the answers, reviewed, approved by a third person, issued and frozen; objections to it."""
