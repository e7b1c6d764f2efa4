-- Goods on their way between branches: a transfer_out whose cause has no transfer_in. Its reason is the number of the other branch.
create index stock_movement_sent on stock_movement (moved_at) where kind = 'transfer_out';
