"""Process performance models: from factors to a predicted range of the outcome."""
