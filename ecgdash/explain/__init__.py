"""What moved a score: slots of the history, samples of the ECG."""
