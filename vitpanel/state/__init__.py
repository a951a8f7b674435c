"""What one person looks at: param only, no toolkit."""
