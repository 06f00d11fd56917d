using Microsoft.Data.Sqlite;

namespace LServe.Stores.Local;

/// <summary>Statements with numbered parameters: <c>?1</c> is the first value.</summary>
internal static class Sql
{
    /// <summary>Runs a statement; the number of rows it changed.</summary>
    public static int Run(SqliteTransaction transaction, string text, params ReadOnlySpan<object?> values)
    {
        using var command = Command(transaction, text, values);
        return command.ExecuteNonQuery();
    }

    /// <summary>The first column of the first row, or null.</summary>
    public static object? Scalar(SqliteTransaction transaction, string text, params ReadOnlySpan<object?> values)
    {
        using var command = Command(transaction, text, values);
        return command.ExecuteScalar();
    }

    public static List<T> Rows<T>(SqliteTransaction transaction, string text, Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> values)
    {
        using var command = Command(transaction, text, values);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(read(reader));
        return rows;
    }

    private static SqliteCommand Command(SqliteTransaction transaction, string text, ReadOnlySpan<object?> values)
    {
        var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = text;
        for (var i = 0; i < values.Length; i++) command.Parameters.AddWithValue($"?{i + 1}", values[i] ?? DBNull.Value);
        return command;
    }
}
