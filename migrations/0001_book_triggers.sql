-- The book guards itself, whatever the code does.
-- The two system accounts: credits come from the first and are adjusted through the second.
INSERT INTO ledger_accounts (id, kind, balance) VALUES ('sys_grant', 'system', 0), ('sys_adjust', 'system', 0);
--> statement-breakpoint
-- The same business id again: with the same content it is the same transfer and changes nothing; with other content it is
-- an error. BEFORE INSERT also runs ahead of INSERT OR REPLACE, which would bypass an update trigger.
CREATE TRIGGER transfers_once BEFORE INSERT ON transfers
WHEN EXISTS (SELECT 1 FROM transfers WHERE id = NEW.id)
BEGIN
  SELECT CASE
    WHEN EXISTS (
      SELECT 1 FROM transfers
      WHERE id = NEW.id AND debit = NEW.debit AND credit = NEW.credit AND amount = NEW.amount AND reason = NEW.reason
    ) THEN RAISE(IGNORE)
    ELSE RAISE(ABORT, 'transfer_conflict')
  END;
END;
--> statement-breakpoint
-- Balances move with the transfer or not at all: an overdraft fails the CHECK on ledger_accounts and undoes the insert.
CREATE TRIGGER transfers_post AFTER INSERT ON transfers
BEGIN
  UPDATE ledger_accounts SET balance = balance - NEW.amount WHERE id = NEW.debit;
  UPDATE ledger_accounts SET balance = balance + NEW.amount WHERE id = NEW.credit;
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
-- A book account starts empty and stays: credits enter by transfers only.
CREATE TRIGGER ledger_accounts_start_empty BEFORE INSERT ON ledger_accounts
WHEN NEW.balance <> 0
BEGIN
  SELECT RAISE(ABORT, 'ledger_accounts_start_empty');
END;
--> statement-breakpoint
CREATE TRIGGER ledger_accounts_no_delete BEFORE DELETE ON ledger_accounts
BEGIN
  SELECT RAISE(ABORT, 'ledger_accounts_are_permanent');
END;
