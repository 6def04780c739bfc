CREATE TABLE `anomalies` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`kind` text NOT NULL,
	`subject` text NOT NULL,
	`status` text DEFAULT 'open' NOT NULL,
	`opened_at` integer NOT NULL,
	`last_seen_at` integer NOT NULL,
	`reviewed_at` integer,
	`reviewed_by` text,
	`note` text,
	FOREIGN KEY (`reviewed_by`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `anomalies_id_unique` ON `anomalies` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `anomalies_open` ON `anomalies` (`kind`,`subject`) WHERE "anomalies"."status" = 'open';--> statement-breakpoint
CREATE INDEX `anomalies_status` ON `anomalies` (`status`);--> statement-breakpoint
CREATE TABLE `anomaly_evidence` (
	`id` text PRIMARY KEY NOT NULL,
	`anomaly_id` text NOT NULL,
	`seen_at` integer NOT NULL,
	`detail` text NOT NULL,
	FOREIGN KEY (`anomaly_id`) REFERENCES `anomalies`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `anomaly_evidence_anomaly` ON `anomaly_evidence` (`anomaly_id`);--> statement-breakpoint
CREATE TABLE `freezes` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`amount` integer NOT NULL,
	`note` text NOT NULL,
	`operator_id` text NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`operator_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `freezes_account` ON `freezes` (`account_id`);--> statement-breakpoint
CREATE TABLE `settlements` (
	`id` text PRIMARY KEY NOT NULL,
	`lease_id` text NOT NULL,
	`jobs` integer NOT NULL,
	`credits` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `usage_daily` (
	`account_id` text NOT NULL,
	`day` text NOT NULL,
	`key_id` text NOT NULL,
	`model` text NOT NULL,
	`jobs` integer NOT NULL,
	`prompt_tokens` integer NOT NULL,
	`cached_tokens` integer NOT NULL,
	`generated_tokens` integer NOT NULL,
	`credits` integer NOT NULL,
	PRIMARY KEY(`account_id`, `day`, `key_id`, `model`)
);
--> statement-breakpoint
CREATE TABLE `work_hourly` (
	`host_id` text NOT NULL,
	`hour` integer NOT NULL,
	`model` text NOT NULL,
	`network` text NOT NULL,
	`account_id` text NOT NULL,
	`jobs` integer NOT NULL,
	`prompt_tokens` integer NOT NULL,
	`cached_tokens` integer NOT NULL,
	`generated_tokens` integer NOT NULL,
	`prompt_bytes` integer NOT NULL,
	`text_bytes` integer NOT NULL,
	`credits` integer NOT NULL,
	PRIMARY KEY(`host_id`, `hour`, `model`)
);
--> statement-breakpoint
CREATE INDEX `work_hourly_hour` ON `work_hourly` (`hour`);--> statement-breakpoint
CREATE INDEX `work_hourly_account` ON `work_hourly` (`account_id`,`hour`);--> statement-breakpoint
-- From here on written by hand: columns are added in place, and `transfers`, to which no other table refers, is copied.
ALTER TABLE `ledger_accounts` ADD COLUMN `held` integer DEFAULT 0 NOT NULL CONSTRAINT "ledger_held" CHECK ("held" >= 0);--> statement-breakpoint
ALTER TABLE `ledger_accounts` ADD COLUMN `earned` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `ledger_accounts` ADD COLUMN `spent` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `ledger_accounts` ADD COLUMN `frozen` integer DEFAULT 0 NOT NULL CONSTRAINT "ledger_frozen" CHECK ("frozen" between 0 and 9007199254740991);--> statement-breakpoint
ALTER TABLE `ledger_accounts` ADD COLUMN `session_name` text;--> statement-breakpoint
ALTER TABLE `ledger_accounts` ADD COLUMN `moved_at` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `ledger_open_leases` ON `ledger_accounts` (`moved_at`) WHERE "ledger_accounts"."kind" = 'lease' and "ledger_accounts"."balance" > 0;--> statement-breakpoint
ALTER TABLE `transfers` RENAME TO `transfers_old`;--> statement-breakpoint
CREATE TABLE `transfers` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`debit` text NOT NULL,
	`credit` text NOT NULL,
	`payer` text NOT NULL,
	`payee` text NOT NULL,
	`amount` integer NOT NULL,
	`reason` text NOT NULL,
	`note` text,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`debit`) REFERENCES `ledger_accounts`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`credit`) REFERENCES `ledger_accounts`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "transfer_amount" CHECK("transfers"."amount" > 0 and "transfers"."amount" <= 9007199254740991),
	CONSTRAINT "transfer_two_sides" CHECK("transfers"."debit" <> "transfers"."credit")
);
--> statement-breakpoint
INSERT INTO `transfers` (`sequence`, `id`, `debit`, `credit`, `payer`, `payee`, `amount`, `reason`, `created_at`)
SELECT t.rowid, t.id, t.debit, t.credit, coalesce(d.owner_id, d.id), coalesce(c.owner_id, c.id), t.amount, t.reason, t.created_at
FROM `transfers_old` t JOIN `ledger_accounts` d ON d.id = t.debit JOIN `ledger_accounts` c ON c.id = t.credit;--> statement-breakpoint
DROP TABLE `transfers_old`;--> statement-breakpoint
CREATE UNIQUE INDEX `transfers_id_unique` ON `transfers` (`id`);--> statement-breakpoint
CREATE INDEX `transfers_payer` ON `transfers` (`payer`);--> statement-breakpoint
CREATE INDEX `transfers_payee` ON `transfers` (`payee`);--> statement-breakpoint
CREATE INDEX `transfers_payments` ON `transfers` (`created_at`) WHERE "transfers"."reason" = 'settle';--> statement-breakpoint
UPDATE `ledger_accounts` SET
  `held` = (SELECT coalesce(sum(l.balance), 0) FROM `ledger_accounts` l WHERE l.owner_id = ledger_accounts.id AND l.kind = 'lease'),
  `earned` = (SELECT coalesce(sum(t.amount), 0) FROM `transfers` t WHERE t.payee = ledger_accounts.id AND t.reason = 'settle'),
  `spent` = (SELECT coalesce(sum(t.amount), 0) FROM `transfers` t WHERE t.payer = ledger_accounts.id AND t.reason = 'settle')
WHERE `kind` = 'account';--> statement-breakpoint
-- The same business id again: with the same content it is the same transfer and changes nothing; with other content it is
-- an error. BEFORE INSERT also runs ahead of INSERT OR REPLACE, which would bypass an update trigger. Then the shape: which
-- accounts a reason may move credits between. Last: frozen credits stay where they are.
CREATE TRIGGER transfers_guard BEFORE INSERT ON transfers
BEGIN
  SELECT CASE
    WHEN EXISTS (
      SELECT 1 FROM transfers
      WHERE id = NEW.id AND debit = NEW.debit AND credit = NEW.credit AND payer = NEW.payer AND payee = NEW.payee
        AND amount = NEW.amount AND reason = NEW.reason AND note IS NEW.note
    ) THEN RAISE(IGNORE)
    ELSE RAISE(ABORT, 'transfer_conflict')
  END
  WHERE EXISTS (SELECT 1 FROM transfers WHERE id = NEW.id);
  -- A row is only ever appended: REPLACE on a taken sequence would remove another. -1 stands for one that is not chosen yet.
  SELECT RAISE(ABORT, 'transfer_conflict')
  WHERE NEW.sequence <> -1 AND EXISTS (SELECT 1 FROM transfers WHERE sequence = NEW.sequence);
  SELECT RAISE(ABORT, 'transfer_shape')
  WHERE NOT EXISTS (
    SELECT 1 FROM ledger_accounts d JOIN ledger_accounts c ON c.id = NEW.credit
    WHERE typeof(NEW.id) = 'text' AND typeof(NEW.amount) = 'integer'
      AND d.id = NEW.debit AND NEW.payer = coalesce(d.owner_id, d.id) AND NEW.payee = coalesce(c.owner_id, c.id)
      AND CASE NEW.reason
        WHEN 'grant' THEN d.id = 'sys_grant' AND c.kind = 'account'
        WHEN 'adjust' THEN NEW.note IS NOT NULL
          AND ((d.id = 'sys_adjust' AND c.kind = 'account') OR (d.kind = 'account' AND c.id = 'sys_adjust'))
        WHEN 'lease' THEN d.kind = 'account' AND c.kind = 'lease' AND c.owner_id = d.id
        WHEN 'release' THEN d.kind = 'lease' AND c.kind = 'account' AND d.owner_id = c.id
        WHEN 'settle' THEN d.kind = 'lease' AND c.kind = 'account' AND d.owner_id <> c.id
        ELSE 0
      END
  );
  -- Gifts leave every account room for what it may earn: a payment that cannot be written would stop its Session.
  SELECT RAISE(ABORT, 'ledger_safe_integer')
  WHERE NEW.reason IN ('grant', 'adjust')
    AND EXISTS (SELECT 1 FROM ledger_accounts WHERE id = NEW.credit AND balance + NEW.amount > 4503599627370496);
  -- What the CHECKs on ledger_accounts say, once more: INSERT OR IGNORE would carry over to the updates below and skip one.
  SELECT RAISE(ABORT, 'ledger_no_overdraft')
  WHERE EXISTS (SELECT 1 FROM ledger_accounts WHERE id = NEW.debit AND kind <> 'system' AND balance < NEW.amount);
  SELECT RAISE(ABORT, 'ledger_safe_integer')
  WHERE EXISTS (SELECT 1 FROM ledger_accounts WHERE id = NEW.credit AND balance > 9007199254740991 - NEW.amount)
    OR EXISTS (SELECT 1 FROM ledger_accounts WHERE id = NEW.debit AND balance < NEW.amount - 9007199254740991);
  SELECT RAISE(ABORT, 'ledger_held')
  WHERE NEW.reason IN ('release', 'settle')
    AND EXISTS (SELECT 1 FROM ledger_accounts WHERE id = NEW.payer AND held < NEW.amount);
  SELECT RAISE(ABORT, 'ledger_frozen')
  WHERE NEW.reason = 'lease'
    AND EXISTS (SELECT 1 FROM ledger_accounts WHERE id = NEW.debit AND frozen > 0 AND balance - NEW.amount < frozen);
END;
--> statement-breakpoint
-- Balances move with the transfer or not at all: an overdraft fails the CHECK on ledger_accounts and undoes the insert.
CREATE TRIGGER transfers_post AFTER INSERT ON transfers
BEGIN
  SELECT RAISE(ABORT, 'transfer_conflict') WHERE NEW.sequence < 1;
  UPDATE ledger_accounts
  SET balance = balance - NEW.amount, moved_at = NEW.created_at,
    held = held + CASE NEW.reason WHEN 'lease' THEN NEW.amount ELSE 0 END
  WHERE id = NEW.debit;
  UPDATE ledger_accounts
  SET balance = balance + NEW.amount, moved_at = NEW.created_at,
    held = held - CASE NEW.reason WHEN 'release' THEN NEW.amount ELSE 0 END,
    earned = earned + CASE NEW.reason WHEN 'settle' THEN NEW.amount ELSE 0 END
  WHERE id = NEW.credit;
  UPDATE ledger_accounts SET held = held - NEW.amount, spent = spent + NEW.amount
  WHERE NEW.reason = 'settle' AND id = NEW.payer;
END;
--> statement-breakpoint
CREATE TRIGGER transfers_no_update BEFORE UPDATE ON transfers
BEGIN
  SELECT RAISE(ABORT, 'transfers_are_immutable');
END;
--> statement-breakpoint
CREATE TRIGGER transfers_no_delete BEFORE DELETE ON transfers
BEGIN
  SELECT RAISE(ABORT, 'transfers_are_immutable');
END;
--> statement-breakpoint
DROP TRIGGER ledger_accounts_start_empty;
--> statement-breakpoint
-- A book account starts empty and stays: credits enter by transfers only. One that exists already is left as it is, also
-- by INSERT OR REPLACE.
CREATE TRIGGER ledger_accounts_start_empty BEFORE INSERT ON ledger_accounts
BEGIN
  SELECT RAISE(IGNORE)
  WHERE EXISTS (SELECT 1 FROM ledger_accounts WHERE id = NEW.id OR (NEW.rowid <> -1 AND rowid = NEW.rowid));
  SELECT RAISE(ABORT, 'ledger_accounts_start_empty')
  WHERE NEW.balance <> 0 OR NEW.held <> 0 OR NEW.earned <> 0 OR NEW.spent <> 0 OR NEW.frozen <> 0;
END;
--> statement-breakpoint
-- Who owns a book account, and what kind it is, never changes.
CREATE TRIGGER ledger_accounts_identity BEFORE UPDATE OF id, kind, owner_id ON ledger_accounts
BEGIN
  SELECT RAISE(ABORT, 'ledger_accounts_are_permanent');
END;
--> statement-breakpoint
-- The last freeze of an account counts.
CREATE TRIGGER freezes_apply AFTER INSERT ON freezes
BEGIN
  SELECT RAISE(ABORT, 'freezes_are_immutable') WHERE NEW.sequence < 1;
  UPDATE ledger_accounts SET frozen = NEW.amount WHERE id = NEW.account_id;
END;
--> statement-breakpoint
CREATE TRIGGER freezes_no_update BEFORE UPDATE ON freezes
BEGIN
  SELECT RAISE(ABORT, 'freezes_are_immutable');
END;
--> statement-breakpoint
CREATE TRIGGER freezes_no_delete BEFORE DELETE ON freezes
BEGIN
  SELECT RAISE(ABORT, 'freezes_are_immutable');
END;
--> statement-breakpoint
CREATE TRIGGER freezes_no_replace BEFORE INSERT ON freezes
WHEN NEW.sequence <> -1 AND EXISTS (SELECT 1 FROM freezes WHERE sequence = NEW.sequence)
BEGIN
  SELECT RAISE(ABORT, 'freezes_are_immutable');
END;
--> statement-breakpoint
CREATE TRIGGER settlements_no_update BEFORE UPDATE ON settlements
BEGIN
  SELECT RAISE(ABORT, 'settlements_are_immutable');
END;
--> statement-breakpoint
CREATE TRIGGER settlements_no_delete BEFORE DELETE ON settlements
BEGIN
  SELECT RAISE(ABORT, 'settlements_are_immutable');
END;
--> statement-breakpoint
CREATE TRIGGER settlements_once BEFORE INSERT ON settlements
WHEN EXISTS (SELECT 1 FROM settlements WHERE id = NEW.id OR (NEW.rowid <> -1 AND rowid = NEW.rowid))
BEGIN
  SELECT RAISE(IGNORE);
END;
--> statement-breakpoint
-- Before a row has its number, it is -1: none may have that one for good.
CREATE TRIGGER settlements_number AFTER INSERT ON settlements
WHEN NEW.rowid < 1
BEGIN
  SELECT RAISE(ABORT, 'settlements_are_immutable');
END;
--> statement-breakpoint
CREATE TRIGGER ledger_accounts_number AFTER INSERT ON ledger_accounts
WHEN NEW.rowid < 1
BEGIN
  SELECT RAISE(ABORT, 'ledger_accounts_are_permanent');
END;
