"""Physiological simulator of patients, their ECGs and their echocardiograms."""
