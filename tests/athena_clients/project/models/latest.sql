{{ config(materialized='table', format='parquet') }}
SELECT customer, max(day) AS day FROM {{ ref('orders') }} GROUP BY customer
