namespace LServe.Cpu;

/// <summary>What matrix products read their inputs as.</summary>
public enum Activations
{
    /// <summary>As they are.</summary>
    Float32,

    /// <summary>
    /// Rounded to 8 bits in blocks of 32 with a scale each, as llama.cpp does, and multiplied as integers. For weights of the types Q4_0,
    /// Q4_1 and Q8_0; products with other types read float32.
    /// </summary>
    Int8,
}

/// <summary>Facts about activations.</summary>
public static class ActivationsNames
{
    /// <summary>As options and results spell it.</summary>
    public static string Name(this Activations activations) => activations == Activations.Int8 ? "int8" : "float32";
}
