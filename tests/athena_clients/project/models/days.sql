{{ config(materialized='incremental', incremental_strategy='insert_overwrite', partitioned_by=['day']) }}
SELECT count(*) AS n, day FROM {{ ref('orders') }}
{% if is_incremental() %} WHERE day >= (SELECT max(day) FROM {{ this }}) {% endif %}
GROUP BY day
