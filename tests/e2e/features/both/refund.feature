Feature: Refund captured money
  Refund gives captured money back, in one or several parts. No capture is possible afterwards.

  Background:
    Given a payment of 10.00 GBP

  Scenario: £10 are refunded in two parts, £3 and £7
    Given 10.00 GBP are captured
    When I refund 3.00 GBP
    Then the REFUND of 3.00 GBP is SUCCEEDED
    And the payment is PARTIALLY_REFUNDED
    And its amounts are
      | authorized | captured  | refunded | capturable | refundable |
      | 10.00 GBP  | 10.00 GBP | 3.00 GBP | 0.00 GBP   | 7.00 GBP   |
    When I refund 7.00 GBP with the reference "the rest"
    Then the REFUND of 7.00 GBP is SUCCEEDED
    And the action has the reference "the rest"
    And the payment is REFUNDED
    And its amounts are
      | authorized | captured  | refunded  | capturable | refundable |
      | 10.00 GBP  | 10.00 GBP | 10.00 GBP | 0.00 GBP   | 0.00 GBP   |

  Scenario: No more can be refunded than was captured and not refunded yet
    Given 10.00 GBP are captured
    And 3.00 GBP are refunded
    When I refund 7.01 GBP
    Then it is refused with AMOUNT_EXCEEDS_REFUNDABLE
    And it says
      | requested | available | currency |
      | 701       | 700       | GBP      |
    And the payment is as it was

  Scenario: Nothing can be refunded once everything is
    Given 10.00 GBP are captured
    And 10.00 GBP are refunded
    When I refund 0.01 GBP
    Then it is refused with AMOUNT_EXCEEDS_REFUNDABLE
    And it says
      | requested | available | currency |
      | 1         | 0         | GBP      |

  Scenario: Before a capture there is nothing to refund
    When I refund 1.00 GBP
    Then it is refused with NOT_CAPTURED
    And the payment is as it was

  Scenario: After a refund the rest of the authorization is released
    Given 4.00 GBP are captured
    And 1.00 GBP are refunded
    Then its amounts are
      | authorized | captured | refunded | capturable | refundable |
      | 10.00 GBP  | 4.00 GBP | 1.00 GBP | 0.00 GBP   | 3.00 GBP   |
    When I capture 1.00 GBP
    Then it is refused with PAYMENT_REFUNDED
    And the payment is as it was

  Scenario: A payment is refunded when all that was captured is, though a part never was
    Given 4.00 GBP are captured
    When I refund 4.00 GBP
    Then the payment is REFUNDED

  Scenario: A refund is in the currency of the payment
    Given 10.00 GBP are captured
    When I refund 4.00 EUR
    Then it is refused with CURRENCY_MISMATCH
    And the payment is as it was

  Scenario: A missing amount never means everything
    Given 10.00 GBP are captured
    When I refund without an amount
    Then it is refused with VALIDATION_FAILED
    And it names the field amount
    And the payment is as it was

  Scenario: The bank may decline a refund; then the amount can be refunded again
    Given a payment of 10.00 GBP on the card 4000 0000 0000 3238
    And 4.00 GBP are captured
    When I refund 3.00 GBP
    Then the REFUND of 3.00 GBP is DECLINED with REFUND_REJECTED
    And the payment is PARTIALLY_CAPTURED
    And its amounts are
      | authorized | captured | refunded | capturable | refundable |
      | 10.00 GBP  | 4.00 GBP | 0.00 GBP | 6.00 GBP   | 4.00 GBP   |
    When I capture 6.00 GBP
    Then the payment is CAPTURED
