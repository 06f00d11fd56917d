Console.WriteLine("LServe silo");
