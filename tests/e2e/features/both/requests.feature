Feature: See what was sent
  The sandbox keeps a merchant's last calls, with what became of them and without card data.

  Background:
    Given a merchant of its own

  Scenario: What was wrong with a call
    When I authorize 10.00 GBP
    And I capture 99.00 GBP
    Then the request log of this payment becomes
      | method    | code                | reason                    |
      | Capture   | FAILED_PRECONDITION | AMOUNT_EXCEEDS_CAPTURABLE |
      | Authorize | OK                  |                           |
    And the last call is found by the id that its answer came with
