Feature: Void an authorization
  Void cancels a payment before anything was captured. Nothing is possible afterwards. After a capture
  what is left of the reservation can be voided by itself: what was captured stays.

  Background:
    Given a payment of 10.00 GBP

  Scenario: A void gives the whole reservation back
    When I void it with the reference "changed my mind"
    Then the VOID of 10.00 GBP is SUCCEEDED
    And the payment is VOIDED
    And its amounts are
      | authorized | captured | refunded | capturable | refundable |
      | 10.00 GBP  | 0.00 GBP | 0.00 GBP | 0.00 GBP   | 0.00 GBP   |
    And the action has the reference "changed my mind"

  Scenario Outline: Nothing is possible after a void
    Given it is voided
    When I <request>
    Then it is refused with PAYMENT_VOIDED
    And the payment is as it was

    Examples:
      | request          |
      | capture 1.00 GBP |
      | void it          |
      | refund 1.00 GBP  |

  Scenario Outline: What was captured can be refunded, not voided
    Given <amount> are captured
    When I void it
    Then it is refused with PAYMENT_CAPTURED
    And the payment is as it was

    Examples: All of it, and a part of it
      | amount    |
      | 10.00 GBP |
      | 4.00 GBP  |

  Scenario: What was refunded cannot be voided
    Given 4.00 GBP are captured
    And 1.00 GBP are refunded
    When I void it
    Then it is refused with PAYMENT_REFUNDED
    And the payment is as it was

  Scenario: The bank may decline a void; the payment then stays authorized
    Given a payment of 10.00 GBP on the card 4000 0000 0000 1067
    When I void it
    Then the VOID of 10.00 GBP is DECLINED with VOID_REJECTED
    And the payment is AUTHORIZED
    And 10.00 GBP can be captured
    When I capture 10.00 GBP
    Then the payment is CAPTURED

  Scenario: What no capture has taken is released, and what was captured stays
    Given 4.00 GBP are captured
    When I void the rest with the reference "out of stock"
    Then the VOID of 6.00 GBP is SUCCEEDED
    And the payment is CAPTURED
    And its amounts are
      | authorized | captured | refunded | capturable | refundable |
      | 10.00 GBP  | 4.00 GBP | 0.00 GBP | 0.00 GBP   | 4.00 GBP   |
    And the action has the reference "out of stock"
    And the action has the bank's approval code, in the history as well
    When I capture 1.00 GBP
    Then it is refused with AMOUNT_EXCEEDS_CAPTURABLE
    When I void the rest
    Then it is refused with PAYMENT_CAPTURED
    When I refund 4.00 GBP
    Then the payment is REFUNDED

  Scenario: The rest is released once, however often it is asked with the same key
    Given 4.00 GBP are captured
    When I void the rest with the key "rest"
    And I send the same request again
    Then it is a replay
    And the VOID of 6.00 GBP is SUCCEEDED
    And the history has 3 actions
    When I void it with the key "rest"
    Then it is refused with IDEMPOTENCY_KEY_REUSED

  Scenario: Before a capture there is no rest
    When I void the rest
    Then it is refused with NOT_CAPTURED
    And the payment is as it was

  Scenario: Of what was captured as a whole there is no rest
    Given 10.00 GBP are captured
    When I void the rest
    Then it is refused with PAYMENT_CAPTURED
    And the payment is as it was

  Scenario: A refund has released the rest already
    Given 4.00 GBP are captured
    And 1.00 GBP are refunded
    When I void the rest
    Then it is refused with PAYMENT_REFUNDED
    And the payment is as it was

  Scenario: The bank may decline to release the rest; then it can still be captured
    Given a payment of 10.00 GBP on the card 4000 0000 0000 1067
    And 4.00 GBP are captured
    When I void the rest
    Then the VOID of 6.00 GBP is DECLINED with VOID_REJECTED
    And the payment is PARTIALLY_CAPTURED
    And 6.00 GBP can be captured
    When I capture 6.00 GBP
    Then the payment is CAPTURED
