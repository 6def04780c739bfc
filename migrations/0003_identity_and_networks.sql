CREATE TABLE `device_grants` (
	`hash` text PRIMARY KEY NOT NULL,
	`user_code_mac` text NOT NULL,
	`status` text NOT NULL,
	`host_id` text NOT NULL,
	`host_name` text NOT NULL,
	`network` text NOT NULL,
	`address` text NOT NULL,
	`account_id` text,
	`interval_seconds` integer NOT NULL,
	`polled_at` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`issued_by` text,
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `device_grants_user_code_mac_unique` ON `device_grants` (`user_code_mac`);--> statement-breakpoint
CREATE INDEX `device_grants_expiry` ON `device_grants` (`expires_at`);--> statement-breakpoint
CREATE TABLE `login_flows` (
	`hash` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`email` text,
	`user_id` text,
	`secret` text NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	`asker` text
);
--> statement-breakpoint
CREATE INDEX `login_flows_expiry` ON `login_flows` (`expires_at`);--> statement-breakpoint
CREATE INDEX `login_flows_email` ON `login_flows` (`email`);--> statement-breakpoint
CREATE TABLE `login_sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`hash` text NOT NULL,
	`previous_hash` text,
	`rotated_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	`last_seen_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`revoked_at` integer,
	`label` text NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `login_sessions_hash_unique` ON `login_sessions` (`hash`);--> statement-breakpoint
CREATE UNIQUE INDEX `login_sessions_previous_hash_unique` ON `login_sessions` (`previous_hash`);--> statement-breakpoint
CREATE INDEX `login_sessions_user` ON `login_sessions` (`user_id`);--> statement-breakpoint
CREATE TABLE `member_invitations` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`email` text NOT NULL,
	`role` text NOT NULL,
	`invited_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`closed_at` integer,
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `member_invitations_email` ON `member_invitations` (`email`);--> statement-breakpoint
CREATE INDEX `member_invitations_account` ON `member_invitations` (`account_id`);--> statement-breakpoint
CREATE TABLE `members` (
	`account_id` text NOT NULL,
	`user_id` text NOT NULL,
	`role` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`account_id`, `user_id`),
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `members_user` ON `members` (`user_id`);--> statement-breakpoint
CREATE TABLE `operators` (
	`user_id` text PRIMARY KEY NOT NULL,
	`granted_by` text NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `passkeys` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`public_key` text NOT NULL,
	`counter` integer NOT NULL,
	`transports` text NOT NULL,
	`name` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `passkeys_user` ON `passkeys` (`user_id`);--> statement-breakpoint
CREATE TABLE `users` (
	`id` text PRIMARY KEY NOT NULL,
	`email` text,
	`github_id` text,
	`name` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `users_email_unique` ON `users` (`email`);--> statement-breakpoint
CREATE UNIQUE INDEX `users_github_id_unique` ON `users` (`github_id`);--> statement-breakpoint
CREATE TABLE `host_networks` (
	`host_id` text NOT NULL,
	`network` text NOT NULL,
	`status` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`host_id`, `network`),
	FOREIGN KEY (`host_id`) REFERENCES `hosts`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`network`) REFERENCES `networks`(`name`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `host_networks_network` ON `host_networks` (`network`);--> statement-breakpoint
CREATE TABLE `host_transfers` (
	`hash` text PRIMARY KEY NOT NULL,
	`host_id` text NOT NULL,
	`account_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	`issued_by` text,
	FOREIGN KEY (`host_id`) REFERENCES `hosts`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `host_transfers_host` ON `host_transfers` (`host_id`);--> statement-breakpoint
CREATE TABLE `network_accounts` (
	`network` text NOT NULL,
	`account_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`leaving_at` integer,
	PRIMARY KEY(`network`, `account_id`),
	FOREIGN KEY (`network`) REFERENCES `networks`(`name`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `network_accounts_account` ON `network_accounts` (`account_id`);--> statement-breakpoint
CREATE TABLE `network_invitations` (
	`id` text PRIMARY KEY NOT NULL,
	`hash` text NOT NULL,
	`network` text NOT NULL,
	`kind` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_by` text,
	`closed_at` integer,
	`issued_by` text,
	FOREIGN KEY (`network`) REFERENCES `networks`(`name`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `network_invitations_hash_unique` ON `network_invitations` (`hash`);--> statement-breakpoint
CREATE INDEX `network_invitations_network` ON `network_invitations` (`network`);--> statement-breakpoint
CREATE TABLE `networks` (
	`name` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`account_id` text,
	`cidrs` text NOT NULL,
	`created_at` integer NOT NULL,
	`removed_at` integer,
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `networks_account` ON `networks` (`account_id`);--> statement-breakpoint
ALTER TABLE `accounts` ADD `token_issued_by` text;--> statement-breakpoint
ALTER TABLE `host_enrolments` ADD `for_host_id` text;--> statement-breakpoint
ALTER TABLE `host_enrolments` ADD `issued_by` text;--> statement-breakpoint
ALTER TABLE `ledger_accounts` ADD `key_id` text;--> statement-breakpoint
CREATE INDEX `ledger_accounts_key` ON `ledger_accounts` (`key_id`);--> statement-breakpoint
ALTER TABLE `secret_keys` ADD `models` text;--> statement-breakpoint
ALTER TABLE `secret_keys` ADD `spend_order` text;--> statement-breakpoint
ALTER TABLE `secret_keys` ADD `budget` integer;--> statement-breakpoint
ALTER TABLE `secret_keys` ADD `budget_period` text;--> statement-breakpoint
ALTER TABLE `secret_keys` ADD `expires_at` integer;--> statement-breakpoint
ALTER TABLE `secret_keys` ADD `last_used_at` integer;--> statement-breakpoint
ALTER TABLE `secret_keys` ADD `replaced_by` text;--> statement-breakpoint
-- From here on written by hand.
INSERT INTO `networks` (`name`, `kind`, `cidrs`, `created_at`) VALUES ('public', 'public', '[]', 0);--> statement-breakpoint
INSERT INTO `host_networks` (`host_id`, `network`, `status`, `created_at`) SELECT `id`, `network`, 'active', `created_at` FROM `hosts`;--> statement-breakpoint
ALTER TABLE `hosts` DROP COLUMN `network`;--> statement-breakpoint
-- A key's budget holds over all its Sessions: what it spent in the present period and what its leases hold. Said here, where
-- every lease is filled, so that no two Sessions can both take what is left. A transfer that stands already is no new one.
CREATE TRIGGER transfers_key_budget BEFORE INSERT ON transfers
WHEN NEW.reason = 'lease' AND NOT EXISTS (SELECT 1 FROM transfers WHERE id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'key_budget')
  FROM ledger_accounts lease JOIN secret_keys key ON key.id = lease.key_id
  WHERE lease.id = NEW.credit AND key.budget IS NOT NULL
    AND key.budget < NEW.amount
      + (SELECT coalesce(sum(other.balance), 0) FROM ledger_accounts other WHERE other.key_id = key.id)
      + (SELECT coalesce(sum(used.credits), 0) FROM usage_daily used
         WHERE used.account_id = NEW.debit AND used.key_id = key.id
           AND used.day >= CASE key.budget_period
             WHEN 'day' THEN date(NEW.created_at / 1000, 'unixepoch')
             WHEN 'week' THEN date(NEW.created_at / 1000, 'unixepoch', 'weekday 0', '-6 days')
             WHEN 'month' THEN date(NEW.created_at / 1000, 'unixepoch', 'start of month')
             ELSE '' END);
END;
