"""The measured tables of docs/, and what each was measured from."""
