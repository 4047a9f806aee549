"""What next: facts of a patient, rules over them, and the criteria that trials state."""
