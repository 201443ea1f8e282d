Feature: Authorize a card
  Authorize asks the customer's bank to reserve an amount. The reply is the bank's answer and the
  payment that began with it; the payment's id is the `authorization_id` of everything that follows.

  Scenario: An authorization reserves the whole amount, and takes nothing yet
    When I authorize 10.00 GBP with the reference "basket 66"
    Then the AUTHORIZE of 10.00 GBP is SUCCEEDED
    And the payment is AUTHORIZED
    And its amounts are
      | authorized | captured | refunded | capturable | refundable |
      | 10.00 GBP  | 0.00 GBP | 0.00 GBP | 10.00 GBP  | 0.00 GBP   |
    And payment and action have the reference "basket 66"
    And nothing was declined
    And the action has the bank's approval code, in the history as well

  Scenario: Ids tell what they are of, and the authorization expires after 7 days
    When I authorize 10.00 GBP
    Then the payment's id is "pay_" and 26 characters, the action's "act_" and 26 characters
    And the payment expires 7 days after it was made

  Scenario Outline: Cards of every brand are approved, and only their last four digits are shown
    When I authorize 10.00 GBP on the card <card> with the CVV <cvv>
    Then the AUTHORIZE of 10.00 GBP is SUCCEEDED
    And the payment is AUTHORIZED
    And the payment shows the card <brand> ending in <last4>
    And the reply holds the card's number <card> nowhere

    Examples:
      | card                | cvv  | brand            | last4 |
      | 4242 4242 4242 4242 | 123  | VISA             | 4242  |
      | 5555 5555 5555 4444 | 123  | MASTERCARD       | 4444  |
      | 2223 0031 2200 3222 | 123  | MASTERCARD       | 3222  |
      | 3782 822463 10005   | 1234 | AMERICAN_EXPRESS | 0005  |
      | 6011 1111 1111 1117 | 123  | DISCOVER         | 1117  |
      | 3566 0020 2036 0505 | 123  | JCB              | 0505  |
      | 6200 0000 0000 0005 | 123  | UNIONPAY         | 0005  |

  Scenario Outline: The card's number may be written with spaces or hyphens
    When I authorize 10.00 GBP on the card <card>
    Then the AUTHORIZE of 10.00 GBP is SUCCEEDED
    And the payment shows the card VISA ending in 4242

    Examples:
      | card                 |
      | 4242424242424242     |
      | 4242-4242-4242-4242  |
      | 42 42-4242 424242 42 |

  Scenario: Any other number that passes the Luhn check is approved
    When I authorize 10.00 GBP on the card 4111 1111 1111 1111
    Then the AUTHORIZE of 10.00 GBP is SUCCEEDED

  Scenario Outline: A decline is the bank's answer and not an error
    When I authorize 10.00 GBP on the card <card>
    Then the AUTHORIZE of 10.00 GBP is DECLINED with <code>
    And the payment is DECLINED
    And the payment says <code> too, with a sentence for people
    And its amounts are
      | authorized | captured | refunded | capturable | refundable |
      | 10.00 GBP  | 0.00 GBP | 0.00 GBP | 0.00 GBP   | 0.00 GBP   |

    Examples:
      | card                | code               |
      | 4000 0000 0000 0002 | CARD_DECLINED      |
      | 4000 0000 0000 9995 | INSUFFICIENT_FUNDS |
      | 4000 0000 0000 9987 | LOST_CARD          |
      | 4000 0000 0000 9979 | STOLEN_CARD        |
      | 4000 0000 0000 0069 | EXPIRED_CARD       |
      | 4000 0000 0000 0127 | INCORRECT_CVV      |
      | 4000 0000 0000 0119 | PROCESSING_ERROR   |
      | 4000 0000 0000 1083 | ISSUER_UNAVAILABLE |

  Scenario Outline: Nothing can be done with a declined payment
    Given a payment of 10.00 GBP on the card 4000 0000 0000 0002
    When I <request>
    Then it is refused with PAYMENT_DECLINED
    And the payment is as it was

    Examples:
      | request          |
      | capture 1.00 GBP |
      | void it          |
      | refund 1.00 GBP  |

  Scenario: A card is good through the last day of the month in which it expires
    When I authorize 10.00 GBP on a card that expires this month
    Then the AUTHORIZE of 10.00 GBP is SUCCEEDED

  Scenario: A card that expired last month is refused, and the bank is not asked
    When I authorize 10.00 GBP on a card that expired last month
    Then it is refused with VALIDATION_FAILED
    And it names the field card_details.expiry

  Scenario Outline: Amounts are minor units of the currency, whatever its decimals are
    Given a payment of <amount>
    When I capture <part>
    Then the payment is PARTIALLY_CAPTURED
    And its amounts are
      | authorized | captured | refunded | capturable | refundable |
      | <amount>   | <part>   | <none>   | <rest>     | <part>     |
    When I refund <part>
    Then the payment is REFUNDED
    And its amounts are
      | authorized | captured | refunded | capturable | refundable |
      | <amount>   | <part>   | <part>   | <none>     | <none>     |

    Examples: Two decimals, none, three
      | amount     | part      | rest      | none      |
      | 10.00 EUR  | 4.00 EUR  | 6.00 EUR  | 0.00 EUR  |
      | 1000 JPY   | 1 JPY     | 999 JPY   | 0 JPY     |
      | 10.000 KWD | 4.001 KWD | 5.999 KWD | 0.000 KWD |

  Scenario Outline: The smallest and the largest amount
    When I authorize <amount>
    Then the AUTHORIZE of <amount> is SUCCEEDED

    Examples:
      | amount             |
      | 0.01 GBP           |
      | 10000000000.00 GBP |
