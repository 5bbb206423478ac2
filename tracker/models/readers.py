"""Who is told: subscribers, subscriptions, issues, deliveries, suppression, feedback."""
