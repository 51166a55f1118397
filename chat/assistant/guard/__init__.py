"""The commitment guard: no price, stock, delay, guarantee, refund or date that nobody looked up.

``claims`` finds what a sentence commits the shop to, ``facts`` what was looked up in this
conversation, ``filter`` stands between the model's stream and the customer.
"""
