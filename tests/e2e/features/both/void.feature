Feature: Void an authorization
  Void cancels a payment before anything was captured. Nothing is possible afterwards.

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
