Feature: Capture reserved money
  Capture takes all or part of what was authorized, and may be called again until nothing is left.

  Background:
    Given a payment of 10.00 GBP

  Scenario: £10 are captured in two parts, £4 and £6
    When I capture 4.00 GBP
    Then the CAPTURE of 4.00 GBP is SUCCEEDED
    And the payment is PARTIALLY_CAPTURED
    And its amounts are
      | authorized | captured | refunded | capturable | refundable |
      | 10.00 GBP  | 4.00 GBP | 0.00 GBP | 6.00 GBP   | 4.00 GBP   |
    And the action has the bank's approval code, in the history as well
    When I capture 6.00 GBP
    Then the CAPTURE of 6.00 GBP is SUCCEEDED
    And the payment is CAPTURED
    And its amounts are
      | authorized | captured  | refunded | capturable | refundable |
      | 10.00 GBP  | 10.00 GBP | 0.00 GBP | 0.00 GBP   | 10.00 GBP  |

  Scenario: No more can be captured than is left, and the refusal says how much that is
    Given 4.00 GBP are captured
    When I capture 6.01 GBP
    Then it is refused with AMOUNT_EXCEEDS_CAPTURABLE
    And it says
      | requested | available | currency |
      | 601       | 600       | GBP      |
    And the payment is as it was
    When I capture 6.00 GBP
    Then the payment is CAPTURED

  Scenario: Nothing can be captured once nothing is left
    Given 10.00 GBP are captured
    When I capture 0.01 GBP
    Then it is refused with AMOUNT_EXCEEDS_CAPTURABLE
    And it says
      | requested | available | currency |
      | 1         | 0         | GBP      |

  Scenario: A final capture releases what is left
    When I capture 4.00 GBP as the final capture
    Then the CAPTURE of 4.00 GBP is SUCCEEDED
    And the payment is CAPTURED
    And its amounts are
      | authorized | captured | refunded | capturable | refundable |
      | 10.00 GBP  | 4.00 GBP | 0.00 GBP | 0.00 GBP   | 4.00 GBP   |
    When I capture 1.00 GBP
    Then it is refused with AMOUNT_EXCEEDS_CAPTURABLE
    And it says
      | requested | available | currency |
      | 100       | 0         | GBP      |

  Scenario: A capture is in the currency of the payment
    When I capture 4.00 EUR
    Then it is refused with CURRENCY_MISMATCH
    And the payment is as it was

  Scenario: A wrong currency is named before anything else that is wrong
    Given it is voided
    When I capture 4.00 EUR
    Then it is refused with CURRENCY_MISMATCH

  Scenario: A missing amount never means everything
    When I capture without an amount
    Then it is refused with VALIDATION_FAILED
    And it names the field amount
    And the payment is as it was

  Scenario: A capture has a reference of its own
    When I capture 4.00 GBP with the reference "parcel 1"
    Then the action has the reference "parcel 1"
    And the payment has the reference ""

  Scenario: The bank may decline a capture; then the amount can be captured again
    Given a payment of 10.00 GBP on the card 4000 0000 0000 0259
    When I capture 4.00 GBP
    Then the CAPTURE of 4.00 GBP is DECLINED with CAPTURE_REJECTED
    And the payment is AUTHORIZED
    And its amounts are
      | authorized | captured | refunded | capturable | refundable |
      | 10.00 GBP  | 0.00 GBP | 0.00 GBP | 10.00 GBP  | 0.00 GBP   |
    And the payment itself was not declined
    And the action has no approval code

  Scenario: A final capture that the bank declines releases nothing
    Given a payment of 10.00 GBP on the card 4000 0000 0000 0259
    When I capture 4.00 GBP as the final capture
    Then the CAPTURE of 4.00 GBP is DECLINED with CAPTURE_REJECTED
    And 10.00 GBP can be captured
    When I void it
    Then the payment is VOIDED
